// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "control/config/render.h"
#include "control/config/values.h"

namespace pollux::control {

std::string render_json(const LoadResult& result) {
    nlohmann::ordered_json diagnostics = nlohmann::ordered_json::array();
    for (const Diagnostic& diagnostic : result.diagnostics) {
        nlohmann::ordered_json labels = nlohmann::ordered_json::array();
        for (const Label& label : diagnostic.labels) {
            labels.push_back({{"file", escaped(label.file)},
                              {"line", label.line},
                              {"column", label.column},
                              {"width", label.width},
                              {"message", escaped(label.message)}});
        }
        nlohmann::ordered_json notes = nlohmann::ordered_json::array();
        for (const std::string& note : diagnostic.notes) notes.push_back(escaped(note));
        nlohmann::ordered_json helps = nlohmann::ordered_json::array();
        for (const std::string& help : diagnostic.helps) helps.push_back(escaped(help));
        diagnostics.push_back(
            {{"severity", diagnostic.severity == Severity::Error ? "error" : "warning"},
             {"code", diagnostic.code},
             {"title", escaped(diagnostic.title)},
             {"labels", labels},
             {"notes", notes},
             {"helps", helps}});
    }
    nlohmann::ordered_json files = nlohmann::ordered_json::array();
    for (const std::string& file : result.files) files.push_back(escaped(file));
    const nlohmann::ordered_json document = {{"schema", 1},
                                             {"errors", result.errors},
                                             {"warnings", result.warnings},
                                             {"files", files},
                                             {"diagnostics", diagnostics}};
    return document.dump(2) + "\n";
}

}  // namespace pollux::control
