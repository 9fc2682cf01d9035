// SPDX-License-Identifier: Apache-2.0
#pragma once

// ImportLog: collects what an import has to say. One import, one thread.

#include <map>
#include <string>
#include <vector>

#include "control/import/import_types.h"

namespace pollux::control {

class ImportLog {
  public:
    // Beyond so many notes only the counts go on: a hostile file must not take all memory.
    static constexpr std::size_t kMaxNotes = 2000;

    explicit ImportLog(bool lenient) : lenient_(lenient) {}

    // Cannot be imported, whatever the options.
    void error(SourcePlace place, std::string text, std::string remedy = {});
    // A mistake that keepalived ignores: left out with a warning if lenient, else an error.
    void ignored(SourcePlace place, std::string text, std::string remedy = {});
    void warning(SourcePlace place, std::string text, std::string remedy = {});
    void dropped(SourcePlace place, const std::string& word, std::string reason);
    void changed(SourcePlace place, const std::string& word, std::string reason);
    void kept(SourcePlace place, const std::string& word);

    [[nodiscard]] std::size_t errors() const { return errors_; }
    [[nodiscard]] std::size_t warnings() const { return warnings_; }

    // By file and line; empties the log.
    std::vector<ImportNote> take();

  private:
    void add(ImportVerdict verdict, SourcePlace place, std::string text, std::string remedy);

    bool lenient_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
    std::vector<ImportNote> notes_;
};

}  // namespace pollux::control
