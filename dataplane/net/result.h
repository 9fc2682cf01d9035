// SPDX-License-Identifier: Apache-2.0
#pragma once

// Success or a typed error, for code that must not throw (everything below control/).

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace pollux {

// What went wrong and what the operator can do about it. Both are one sentence, lower case, no
// trailing full stop; `remedy` may be empty when there is none.
struct Error {
    std::string message;
    std::string remedy;
};

template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
    Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool ok() const noexcept { return std::holds_alternative<T>(state_); }
    explicit operator bool() const noexcept { return ok(); }

    // Precondition: ok().
    T& value() & { return std::get<T>(state_); }
    const T& value() const& { return std::get<T>(state_); }
    T&& value() && { return std::get<T>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    // Precondition: !ok().
    [[nodiscard]] const Error& error() const { return std::get<Error>(state_); }

  private:
    std::variant<T, Error> state_;
};

// For operations without a value.
using Status = Result<std::monostate>;
inline Status ok_status() {
    return std::monostate{};
}

}  // namespace pollux
