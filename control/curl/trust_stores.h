// SPDX-License-Identifier: Apache-2.0
#pragma once

// TrustStores: the certificates that TLS peers are verified against, read once per file: the
// system's bundle has well over a hundred, too many to read for each connection. Control thread.

#include <map>
#include <memory>
#include <string>

#include <openssl/x509_vfy.h>

#include "dataplane/net/result.h"

namespace pollux::control {

class TrustStores {
  public:
    // The store of a PEM file, or of the system for an empty path. Lives as long as this object or
    // until refresh(). Errors: not readable, no certificate in it.
    Result<X509_STORE*> get(const std::string& path);
    // Files are read again when they are asked for next (reload).
    void refresh() { stores_.clear(); }

  private:
    struct Deleter {
        void operator()(X509_STORE* store) const { X509_STORE_free(store); }
    };
    std::map<std::string, std::unique_ptr<X509_STORE, Deleter>> stores_;
};

}  // namespace pollux::control
