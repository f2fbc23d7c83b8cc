"""Gates: conditions on the evidence of a version, and whether they hold. docs/gates.md describes the language.

`conditions` has the values, `parser` reads their text, `verdicts` compares them with evidence. Nothing here knows a
database: evidence is asked through `verdicts.Evidence`.
"""
