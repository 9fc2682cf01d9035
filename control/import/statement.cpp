// SPDX-License-Identifier: Apache-2.0
#include "control/import/statement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/config/values.h"

namespace pollux::control {

namespace {

// Blocks that stand at the top level only: inside of another block, a brace before was not closed.
constexpr std::array<std::string_view, 12> kTopBlocks = {
    "global_defs",    "vrrp_script",          "vrrp_instance", "vrrp_sync_group",
    "virtual_server", "virtual_server_group", "bfd_instance",  "vrrp_track_process",
    "static_routes",  "static_rules",         "garp_group",    "static_ipaddress"};

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

class TreeParser {
  public:
    explicit TreeParser(ImportLog& log) : log_(log) { stack_.push_back(&root_); }

    std::vector<Statement> run(const std::vector<SourceLine>& lines) {
        for (const SourceLine& line : lines) this->line(line);
        for (std::size_t i = stack_.size(); i-- > 1;) {
            log_.ignored(stack_[i]->open, unclosed(*stack_[i]),
                         "keepalived takes the end of the file for the end of the block");
        }
        return std::move(root_.children);
    }

  private:
    static std::string unclosed(const Statement& block) {
        return "the brace that opens `" + escaped(block.text()) + "` here is never closed";
    }

    void line(const SourceLine& source) {
        bool fresh = true;  // the next word begins a statement
        std::vector<Word> words = split_words(source, log_);
        for (Word& word : words) {
            if (!word.quoted && word.text == "{") {
                open(source.place);
                fresh = true;
            } else if (!word.quoted && word.text == "}") {
                close(source.place);
                fresh = true;
            } else if (fresh) {
                begin(source.place, std::move(word), words);
                fresh = false;
            } else {
                stack_.back()->children.back().words.push_back(std::move(word));
            }
        }
    }

    void begin(SourcePlace place, Word word, const std::vector<Word>& line) {
        const bool opens =
            std::ranges::any_of(line, [](const Word& w) { return !w.quoted && w.text == "{"; });
        const bool top = std::ranges::find(kTopBlocks, word.text) != kTopBlocks.end();
        if (top && opens && stack_.size() > 1) {
            log_.error(stack_.back()->open, unclosed(*stack_.back()),
                       "`" + escaped(word.text) + "` in line " + std::to_string(place.line) +
                           " cannot stand inside of it: keepalived ignores all that follows");
            stack_.resize(1);
        }
        Statement statement;
        statement.words.push_back(std::move(word));
        statement.place = place;
        stack_.back()->children.push_back(std::move(statement));
    }

    // The brace belongs to the last statement, also if it stands on a line of its own.
    void open(SourcePlace place) {
        std::vector<Statement>& siblings = stack_.back()->children;
        if (siblings.empty() || siblings.back().block) {
            log_.error(place, "a brace without a word before it", "which block does it open?");
            siblings.push_back({{}, {}, false, place, place});
        }
        if (stack_.size() > kMaxBlockDepth) {
            if (!std::exchange(too_deep_, true)) log_.error(place, "blocks are nested too deep");
            ++skipped_;
            return;
        }
        siblings.back().block = true;
        siblings.back().open = place;
        stack_.push_back(&siblings.back());
    }

    void close(SourcePlace place) {
        if (skipped_ > 0) {
            --skipped_;
        } else if (stack_.size() > 1) {
            stack_.pop_back();
        } else {
            log_.ignored(place, "a closing brace without an opening one",
                         "is the brace before it one too many?");
        }
    }

    ImportLog& log_;
    Statement root_;
    // The open blocks. A vector of children grows only while it is the innermost one, so that the
    // pointers to the blocks around it hold.
    std::vector<Statement*> stack_;
    std::size_t skipped_ = 0;
    bool too_deep_ = false;
};

// One line's words.
class WordSplitter {
  public:
    WordSplitter(const SourceLine& line, ImportLog& log) : text_(line.text), line_(line) {
        while (at_ < text_.size()) step(log);
        finish();
    }

    std::vector<Word> take() { return std::move(words_); }

  private:
    void step(ImportLog& log) {
        const char c = text_[at_++];
        if (is_blank(c)) {
            finish();
        } else if (c == '"' || c == '\'') {
            quoted(c, log);
        } else if (c == '\\' && at_ < text_.size()) {
            escape();
        } else if (c == '$' && at_ < text_.size() && text_[at_] == '{') {
            // A parameter that is not defined stays as it is.
            while (at_ <= text_.size() && text_[at_ - 1] != '}') add(text_[at_++ - 1]);
            if (at_ <= text_.size()) add('}');
        } else if (c == '{' || c == '}') {
            finish();
            words_.push_back({std::string(1, c), false});
        } else {
            add(c);
        }
    }

    void quoted(char quote, ImportLog& log) {
        started_ = true;
        word_.quoted = true;
        while (at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                ++at_;
                escape();
            } else {
                add(text_[at_++]);
            }
        }
        if (at_ == text_.size()) {
            log.error(line_.place, std::string("the quote ") + quote + " is never closed");
        } else {
            ++at_;
        }
    }

    // After the backslash, as in the shell's $'...'.
    void escape() {
        constexpr std::string_view kLetters = "abEfnrtv";
        constexpr std::string_view kMeanings = "\a\b\x1b\f\n\r\t\v";
        const char c = text_[at_++];
        const std::size_t known = kLetters.find(c);
        if (known != std::string_view::npos) {
            add(kMeanings[known]);
        } else if (c >= '0' && c <= '7') {
            --at_;
            add(digits("01234567", 3, 8));
        } else if (c == 'x') {
            add(digits("0123456789abcdefABCDEF", 2, 16));
        } else if (c == 'c' && at_ < text_.size()) {
            add(static_cast<char>(text_[at_++] & 0x1f));
        } else {
            add(c);
        }
    }

    char digits(std::string_view allowed, int most, unsigned base) {
        unsigned value = 0;
        for (int i = 0; i < most && at_ < text_.size(); ++i) {
            const std::size_t digit = allowed.find(text_[at_]);
            if (digit == std::string_view::npos) break;
            value = value * base + static_cast<unsigned>(digit < 16 ? digit : digit - 6);
            ++at_;
        }
        return static_cast<char>(value & 0xffU);
    }

    void add(char c) {
        word_.text += c;
        started_ = true;
    }

    void finish() {
        if (started_) words_.push_back(std::exchange(word_, {}));
        started_ = false;
    }

    std::string_view text_;
    const SourceLine& line_;
    std::size_t at_ = 0;
    Word word_;
    bool started_ = false;
    std::vector<Word> words_;
};

}  // namespace

const Statement* Statement::find(std::string_view name) const {
    const auto found = std::ranges::find(children.rbegin(), children.rend(), name,
                                         [](const Statement& child) { return child.word(); });
    return found == children.rend() ? nullptr : &*found;
}

std::string Statement::text(std::size_t from) const {
    std::string result;
    for (std::size_t i = from; i < words.size(); ++i) {
        if (!result.empty()) result += ' ';
        result += words[i].text;
    }
    return result;
}

std::vector<Word> split_words(const SourceLine& line, ImportLog& log) {
    return WordSplitter(line, log).take();
}

std::vector<Statement> parse_statements(const std::vector<SourceLine>& lines, ImportLog& log) {
    return TreeParser(log).run(lines);
}

}  // namespace pollux::control
