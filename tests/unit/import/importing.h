// SPDX-License-Identifier: Apache-2.0
#pragma once

// A disk in memory for the importers, and short forms of their results.

#include <map>
#include <string>
#include <vector>

#include "control/import/import_ipvsadm.h"
#include "control/import/import_keepalived.h"

namespace pollux::control::testing {

using Disk = std::map<std::string, std::string>;

// Patterns may end in `*`. The programs `killall` and `curl` are in /usr/bin.
ImportHost host_of(const Disk& disk);

ImportResult import_text(const std::string& text, const ImportOptions& options = {});

// "3 error: text | remedy" of errors and warnings.
std::vector<std::string> mistakes(const ImportResult& result);
// "3 dropped: word | reason" of the words that are not kept.
std::vector<std::string> fates(const ImportResult& result);

}  // namespace pollux::control::testing
