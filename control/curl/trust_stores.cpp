// SPDX-License-Identifier: Apache-2.0
#include "control/curl/trust_stores.h"

#include <openssl/err.h>
#include <openssl/x509.h>

namespace pollux::control {
namespace {

// Debian's bundle; also what libcurl would take.
constexpr const char* kSystemBundle = "/etc/ssl/certs/ca-certificates.crt";

}  // namespace

Result<TrustStore> TrustStores::get(const std::string& path) {
    const std::string file = path.empty() ? kSystemBundle : path;
    const auto known = stores_.find(file);
    if (known != stores_.end()) return known->second;
    TrustStore store(X509_STORE_new(), X509_STORE_free);
    if (X509_STORE_load_file(store.get(), file.c_str()) != 1) {
        ERR_clear_error();
        return Error{"no trusted certificates in " + file,
                     path.empty() ? "install ca-certificates, or write ca_file"
                                  : "ca_file is a PEM file with the authority's certificate"};
    }
    stores_[file] = store;
    return store;
}

}  // namespace pollux::control
