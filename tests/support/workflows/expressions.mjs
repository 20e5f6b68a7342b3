// Evaluates expressions of GitHub's workflows: a line of JSON in, a line of JSON out.
import { createInterface } from "node:readline";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

const STATUS = ["success", "failure", "cancelled", "always"];

function evaluate({ expression, contexts, status }) {
  const functions = STATUS.map((name) => ({ name, description: "", minArgs: 0, maxArgs: 0 }));
  const answers = new Map(
    functions.map((info) => [info.name, { ...info, call: () => new data.BooleanData(status[info.name]) }]),
  );
  const { tokens } = new Lexer(expression).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse();
  const given = JSON.parse(JSON.stringify(contexts), data.reviver);
  const result = new Evaluator(parsed, given, answers).evaluate();
  return { value: JSON.parse(JSON.stringify(result, data.replacer) ?? "null"), text: result.coerceString() };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = evaluate(JSON.parse(line));
  } catch (error) {
    answer = { error: String(error.message) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
