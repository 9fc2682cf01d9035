// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reloader: SIGHUP and `pollux reload`. Reads the file again and hands a good configuration to the
// Director; can take the last reload back, also by itself when nobody confirms it. Control thread.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/config/load.h"
#include "control/director/director.h"

namespace pollux::control {

class Reloader {
  public:
    struct Outcome {
        bool accepted = false;
        std::string messages;  // the configuration's errors and warnings, rendered
        Error error;           // if not accepted
        ConfigDiff diff;
    };

    Reloader(Director& director, std::string path, LoadOptions options);

    // With `confirm` > 0 the old configuration comes back after that time unless confirm() is
    // called.
    Outcome reload(std::chrono::seconds confirm = std::chrono::seconds::zero(),
                   RuntimeChanges fate = RuntimeChanges::Keep);
    // What reload() would do.
    Outcome preview(RuntimeChanges fate) const;
    // Error: nothing waits for it.
    Status confirm();
    // Back to the configuration before the last reload. Error: there is none.
    Outcome rollback();

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] bool waits_for_confirmation() const { return confirm_timer_.active(); }

  private:
    Outcome apply(Config next, RuntimeChanges fate);

    Director* director_;
    std::string path_;
    LoadOptions options_;
    std::optional<Config> previous_;
    Timer confirm_timer_;
};

}  // namespace pollux::control
