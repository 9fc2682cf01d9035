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

using TrustStore = std::shared_ptr<X509_STORE>;

class TrustStores {
  public:
    // The store of a PEM file, or of the system for an empty path. A transfer keeps it while it
    // runs. Errors: not readable, no certificate in it.
    Result<TrustStore> get(const std::string& path);
    // Files are read again when they are asked for next (reload).
    void refresh() { stores_.clear(); }

  private:
    std::map<std::string, TrustStore> stores_;
};

}  // namespace pollux::control
