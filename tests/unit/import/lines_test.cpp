// SPDX-License-Identifier: Apache-2.0
// Comments, continued lines, includes, @id, parameters, sequences, lists, quotes, braces.
#include <gtest/gtest.h>

#include "control/import/keepalived_lines.h"
#include "control/import/statement.h"
#include "tests/unit/import/importing.h"

namespace pollux::control::testing {
namespace {

std::vector<std::string> expand(const Disk& disk, const std::string& id = "") {
    ImportOptions options;
    options.config_id = id;
    ImportLog log(false);
    const ImportHost host = host_of(disk);
    const SourceText source = read_source({"/etc/k.conf"}, host, log);
    std::vector<std::string> lines;
    for (const SourceLine& line : expand_source(source, options, log)) {
        lines.push_back(std::to_string(line.place.line) + " " + line.text);
    }
    for (const ImportNote& note : log.take()) {
        lines.push_back("! " + std::to_string(note.place.line) + " " + note.text);
    }
    return lines;
}

std::vector<std::string> expand(const std::string& text, const std::string& id = "") {
    return expand(Disk{{"/etc/k.conf", text}}, id);
}

using Lines = std::vector<std::string>;

TEST(KeepalivedLines, CommentsEndAtTheLineAndQuotesProtectThem) {
    EXPECT_EQ(expand("a 1 # c\n! c\n\nb \"x # y\" ! z\n"), (Lines{"1 a 1", "4 b \"x # y\""}));
}

TEST(KeepalivedLines, ContinuedLinesAreOneWithTheFirstLinesNumber) {
    EXPECT_EQ(expand("a \\\n  b \\\n c\nd\n"), (Lines{"1 a b c", "4 d"}));
}

TEST(KeepalivedLines, IncludesAreRelativeToTheIncludingFile) {
    const Disk disk = {{"/etc/k.conf", "include d/*\nz\n"},
                       {"/etc/d/a.conf", "include b.inc\n"},
                       {"/etc/d/b.inc", "b\n"}};
    EXPECT_EQ(expand(disk), (Lines{"1 b", "1 b", "2 z"}));
}

TEST(KeepalivedLines, AnIncludeWithoutFileAndALoopAreReported) {
    EXPECT_EQ(expand("include none.conf\n"), (Lines{"! 1 no file matches `none.conf`"}));
    EXPECT_EQ(expand("include k.conf\n").back(), "! 1 files are included too deep, or too many");
}

TEST(KeepalivedLines, ConditionsChooseByTheConfigId) {
    const std::string text = "@main a\n@backup b\n@^main c\n";
    EXPECT_EQ(expand(text, "main"), (Lines{"1 a"}));
    EXPECT_EQ(expand(text, "backup"), (Lines{"2 b", "3 c"}));
    EXPECT_EQ(expand(text), (Lines{"! 1 lines like this one are for one node only"}));
}

TEST(KeepalivedLines, ParametersAreReplacedWhenUsed) {
    const std::string text =
        "$A=10.2.${B}\n$B=0\n${A}.1/32\n$B=10\n${A}.1/32\nx $B y\n$UNKNOWN ${ALSO}\n";
    EXPECT_EQ(expand(text),
              (Lines{"3 10.2.0.1/32", "5 10.2.10.1/32", "6 x 10 y", "7 $UNKNOWN ${ALSO}"}));
}

TEST(KeepalivedLines, DefinitionsOfManyLinesAreBlocks) {
    const std::string text =
        "$RS= \\\nreal ${N} { \\\nweight 1 \\\n}\n$VS= \\\nvs ${V} { \\\n$N=1 \\\n$RS \\\n"
        "$N=2 \\\n$RS \\\n}\n$V=7\n$VS\n";
    EXPECT_EQ(expand(text), (Lines{"13 vs 7 {", "13 real 1 {", "13 weight 1", "13 }", "13 real 2 {",
                                   "13 weight 1", "13 }", "13 }"}));
}

TEST(KeepalivedLines, SequencesAndListsRepeatTheLine) {
    EXPECT_EQ(expand("~SEQ(N, 2) a ${N}\n~SEQx(N, 0x90, 0x10, 0xa0) b ${N}\n"),
              (Lines{"1 a 1", "1 a 2", "2 b 90", "2 b a0"}));
    EXPECT_EQ(expand("~LST({A, B}, {1,2},{3,4}) ~SEQ(C,1,2) ${A}.${B}.${C}\n"),
              (Lines{"1 1.2.1", "1 1.2.2", "1 3.4.1", "1 3.4.2"}));
}

TEST(KeepalivedLines, PredefinedNamesAreKnownAndRandomIsRefused) {
    EXPECT_EQ(expand("a ${_PWD}/x ${_HASH} ${_BANG}\n"), (Lines{"1 a /etc/x # !"}));
    EXPECT_EQ(expand("a ${_RANDOM 1 9}\n"),
              (Lines{"1 a ${_RANDOM 1 9}",
                     "! 1 keepalived draws a new number at each start for ${_RANDOM}"}));
}

TEST(KeepalivedLines, ParametersThatNeverEndAreRefused) {
    EXPECT_EQ(expand("$A=$B\n$B=$A\nx $A\n"), (Lines{"! 3 a parameter here names itself"}));
    EXPECT_EQ(expand("$A=x\n~SEQ(N,1,999999999) y\n"), (Lines{"! 2 ~SEQ has no end"}));
}

std::string tree_of(const std::vector<Statement>& statements) {
    std::string text;
    for (const Statement& statement : statements) {
        text += "(";
        for (const Word& word : statement.words) text += "[" + word.text + "]";
        if (statement.block) text += "{" + tree_of(statement.children) + "}";
        text += ")";
    }
    return text;
}

std::string parse(const std::vector<std::string>& lines) {
    ImportLog log(false);
    std::vector<SourceLine> source;
    for (const std::string& line : lines) {
        source.push_back({line, {0, static_cast<std::uint32_t>(source.size() + 1)}});
    }
    std::string text = tree_of(parse_statements(source, log));
    for (const ImportNote& note : log.take()) {
        text += " ! " + std::to_string(note.place.line) + " " + note.text;
    }
    return text;
}

TEST(Statements, BracesMayStandAnywhere) {
    EXPECT_EQ(parse({"a b {", "c { d }", "e {}", "f", "{", "g }", "}"}),
              "([a][b]{([c]{([d])})([e]{})([f]{([g])})})");
}

TEST(Statements, QuotesKeepBlanksAndEscapesAreResolved) {
    EXPECT_EQ(parse({"a \"b c\" d'e f'g \"h 'i j'\" \"\\x41\\101\\t{\""}),
              "([a][b c][de fg][h 'i j'][AA\t{])");
    EXPECT_EQ(parse({"a \"b c"}), "([a][b c]) ! 1 the quote \" is never closed");
}

TEST(Statements, AnUnclosedBraceIsReportedWhereItOpens) {
    EXPECT_EQ(parse({"a", "b x {", "c {", "}"}),
              "([a])([b][x]{([c]{})}) ! 2 the brace that opens `b x` here is never closed");
    EXPECT_EQ(parse({"vrrp_instance A {", "state MASTER", "virtual_server 1 2 {", "}"}),
              "([vrrp_instance][A]{([state][MASTER])})([virtual_server][1][2]{}) ! 1 the brace "
              "that opens `vrrp_instance A` here is never closed");
}

TEST(Statements, BracesTooManyAreReported) {
    EXPECT_EQ(parse({"a {", "} }"}), "([a]{}) ! 2 a closing brace without an opening one");
    EXPECT_EQ(parse({"{", "a", "}"}).substr(0, 12), "({([a])}) ! ");
    EXPECT_NE(parse({std::string(100, '{')}).find("too deep"), std::string::npos);
}

}  // namespace
}  // namespace pollux::control::testing
