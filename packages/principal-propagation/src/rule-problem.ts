/** What is wrong with a rule or a list of rules, and where. */
export interface RuleProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}
