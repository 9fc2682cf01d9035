// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reporter: collects diagnostics while the configuration is read and judged. Control thread.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/diagnostic.h"
#include "control/config/sources.h"

namespace pollux::control {

// Builds one diagnostic in place: reporter.report("E0107", "unknown key ...").at(place, "...").
class DiagnosticBuilder {
  public:
    DiagnosticBuilder(Diagnostic& diagnostic, const Sources& sources)
        : diagnostic_(diagnostic), sources_(sources) {}

    // The first call gives the message's own place, further calls explain.
    DiagnosticBuilder& at(const Place& place, std::string message = {});
    DiagnosticBuilder& note(std::string text);
    DiagnosticBuilder& help(std::string text);

  private:
    Diagnostic& diagnostic_;
    const Sources& sources_;
};

class Reporter {
  public:
    static constexpr std::size_t kMaxErrors = 20;
    // Beyond this many diagnostics only the counts go on: a 10 MB file of mistakes must not take
    // all memory.
    static constexpr std::size_t kMaxKept = 1024;

    explicit Reporter(Sources& sources) : sources_(sources) {}

    // `code` is "E...." or "W....". The builder is valid until the next call.
    DiagnosticBuilder report(std::string_view code, std::string title);

    [[nodiscard]] Sources& sources() { return sources_; }
    [[nodiscard]] const Sources& sources() const { return sources_; }
    // Further diagnostics are only counted: do not spend time on suggestions.
    [[nodiscard]] bool full() const { return diagnostics_.size() >= kMaxKept; }
    [[nodiscard]] std::size_t errors() const { return errors_; }
    [[nodiscard]] std::size_t warnings() const { return warnings_; }

    // Takes over the other's diagnostics that this one does not have, with `note`.
    void merge(Reporter& other, const std::string& note);

    // Sorted by file and line, at most kMaxErrors errors and as many warnings.
    std::vector<Diagnostic> take();

  private:
    Sources& sources_;
    std::vector<Diagnostic> diagnostics_;
    Diagnostic overflow_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

}  // namespace pollux::control
