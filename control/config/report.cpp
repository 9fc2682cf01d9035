// SPDX-License-Identifier: Apache-2.0
#include "control/config/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pollux::control {

DiagnosticBuilder& DiagnosticBuilder::at(const Place& place, std::string message) {
    diagnostic_.labels.push_back(sources_.label(place, std::move(message)));
    return *this;
}

DiagnosticBuilder& DiagnosticBuilder::note(std::string text) {
    diagnostic_.notes.push_back(std::move(text));
    return *this;
}

DiagnosticBuilder& DiagnosticBuilder::help(std::string text) {
    diagnostic_.helps.push_back(std::move(text));
    return *this;
}

DiagnosticBuilder Reporter::report(std::string_view code, std::string title) {
    const bool error = code.starts_with('E');
    ++(error ? errors_ : warnings_);
    Diagnostic diagnostic;
    diagnostic.severity = error ? Severity::Error : Severity::Warning;
    diagnostic.code = std::string(code);
    diagnostic.title = std::move(title);
    if (diagnostics_.size() >= kMaxKept) {
        overflow_ = std::move(diagnostic);
        return {overflow_, sources_};
    }
    diagnostics_.push_back(std::move(diagnostic));
    return {diagnostics_.back(), sources_};
}

void Reporter::merge(Reporter& other, const std::string& note) {
    for (Diagnostic& diagnostic : other.diagnostics_) {
        if (full()) return;
        const bool known = std::ranges::any_of(diagnostics_, [&diagnostic](const Diagnostic& own) {
            return own.code == diagnostic.code && own.labels == diagnostic.labels;
        });
        if (known) continue;
        ++(diagnostic.severity == Severity::Error ? errors_ : warnings_);
        diagnostic.notes.push_back(note);
        diagnostics_.push_back(std::move(diagnostic));
    }
}

std::vector<Diagnostic> Reporter::take() {
    const auto file_order = [this](const std::string& path) {
        for (std::uint32_t i = 0; i < sources_.file_count(); ++i) {
            if (sources_.path(i) == path) return static_cast<std::size_t>(i);
        }
        return sources_.file_count();
    };
    const auto key = [&file_order](const Diagnostic& diagnostic) {
        if (diagnostic.labels.empty())
            return std::tuple<std::size_t, std::uint32_t, std::uint32_t>{};
        const Label& label = diagnostic.labels.front();
        return std::tuple<std::size_t, std::uint32_t, std::uint32_t>{file_order(label.file),
                                                                     label.line, label.column};
    };
    std::stable_sort(diagnostics_.begin(), diagnostics_.end(),
                     [&key](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
    std::vector<Diagnostic> kept;
    std::size_t errors = 0;
    std::size_t warnings = 0;
    for (Diagnostic& diagnostic : diagnostics_) {
        std::size_t& count = diagnostic.severity == Severity::Error ? errors : warnings;
        if (count++ < kMaxErrors) kept.push_back(std::move(diagnostic));
    }
    diagnostics_.clear();
    return kept;
}

}  // namespace pollux::control
