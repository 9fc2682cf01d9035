// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads secrets: a literal is allowed only in a file of mode 0600, `*_file` names a file whose
// first line is the secret. Control thread.

#include <string>

#include "control/config/draft.h"
#include "control/config/report.h"

namespace pollux::control {

struct SecretOptions {
    std::string credentials_directory;  // for ${CREDENTIALS_DIRECTORY}; empty: not known
    bool required = true;               // a secret file that cannot be read is an error
    bool check_permissions = true;
};

// The secret of the table at `origin`, or "". `what` names it in messages: "the password of ...".
std::string read_secret(const SecretDraft& draft, const Origin& origin, const std::string& what,
                        const SecretOptions& options, Reporter& reporter);

}  // namespace pollux::control
