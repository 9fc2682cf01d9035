// SPDX-License-Identifier: Apache-2.0
#include "control/import/import_log.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pollux::control {

void ImportLog::error(SourcePlace place, std::string text, std::string remedy) {
    ++errors_;
    add(ImportVerdict::Error, place, std::move(text), std::move(remedy));
}

void ImportLog::ignored(SourcePlace place, std::string text, std::string remedy) {
    if (!lenient_) return error(place, std::move(text), std::move(remedy));
    warning(place, std::move(text), std::move(remedy));
}

void ImportLog::warning(SourcePlace place, std::string text, std::string remedy) {
    ++warnings_;
    add(ImportVerdict::Warning, place, std::move(text), std::move(remedy));
}

void ImportLog::dropped(SourcePlace place, const std::string& word, std::string reason) {
    add(ImportVerdict::Dropped, place, word, std::move(reason));
}

void ImportLog::changed(SourcePlace place, const std::string& word, std::string reason) {
    add(ImportVerdict::Changed, place, word, std::move(reason));
}

void ImportLog::kept(SourcePlace place, const std::string& word) {
    add(ImportVerdict::Kept, place, word, {});
}

void ImportLog::add(ImportVerdict verdict, SourcePlace place, std::string text,
                    std::string remedy) {
    // Mistakes first: room for them is kept when the log is full of other notes.
    const bool mistake = verdict == ImportVerdict::Error || verdict == ImportVerdict::Warning;
    if (notes_.size() >= (mistake ? kMaxNotes : kMaxNotes / 2)) return;
    notes_.push_back({verdict, place, std::move(text), std::move(remedy)});
}

std::vector<ImportNote> ImportLog::take() {
    std::ranges::stable_sort(notes_, {}, [](const ImportNote& note) {
        return std::tuple(note.place.file, note.place.line);
    });
    return std::exchange(notes_, {});
}

}  // namespace pollux::control
