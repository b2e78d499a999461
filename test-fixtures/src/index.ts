/** Test CA, clock, principals, fault injection and small backends for the tests of every package. Never published. */
export { createManualClock, type ManualClock } from './manual-clock.ts'
export { createMemoryNetwork, type MemoryNetwork } from './memory-network.ts'
export { createMemoryPair } from './memory-pair.ts'
export { createOpenStreams, type OpenStreams } from './open-streams.ts'
export { createSocketNetwork, listen } from './socket-network.ts'
export { createTestCa, type TestCa, type TestIdentity } from './test-ca.ts'
export { createTestIssuer, type TestIssuer } from './test-issuer.ts'
export type { FarEnd, TestNetwork } from './test-network.ts'
