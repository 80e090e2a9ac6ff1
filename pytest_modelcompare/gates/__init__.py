"""The sentence language of gates: parse, check, judge, word. What a gate says is never evaluated as code."""
