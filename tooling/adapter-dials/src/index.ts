/** The one place where adapters meet the dials: every adapter is held to its contract over each of them. Never published. */
export { type AdapterOverDials, describeOverDials } from './describe-over-dials.ts'
