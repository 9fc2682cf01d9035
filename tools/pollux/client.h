// SPDX-License-Identifier: Apache-2.0
#pragma once

// Client: one connection to the daemon's control socket; sends a request line, waits for the
// answer.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dataplane/net/result.h"

namespace pollux::cli {

using Json = nlohmann::ordered_json;

class Client {
  public:
    // Errors: nobody listens, no permission.
    static Result<Client> connect(const std::string& path);
    ~Client();
    Client(Client&& other) noexcept;
    Client& operator=(Client&&) = delete;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // The answer as the daemon gave it. Errors: the connection broke, no answer in time, no JSON.
    Result<Json> ask(const std::string& command, const Json& args);

  private:
    explicit Client(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace pollux::cli
