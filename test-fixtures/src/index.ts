/** Test CA, clock, principals, fault injection and small backends for the tests of every package. Never published. */
export { createManualClock, type ManualClock } from './manual-clock.ts'
export { createTestCa, type TestCa, type TestIdentity } from './test-ca.ts'
export { createTestIssuer, type TestIssuer } from './test-issuer.ts'
