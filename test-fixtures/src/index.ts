/** Test CA, clock, principals, fault injection and small backends for the tests of every package. Never published. */
export { AbapFailure, type AbapFunction, type AbapParameter, type AbapSession, type AbapValues } from './abap-gateway/abap-function.ts'
export {
  type AbapGateway,
  type AbapGatewayOptions,
  type AbapUser,
  createAbapGateway,
  serveAbapGateway,
} from './abap-gateway/abap-gateway.ts'
export type { Dictionary, DictionaryEntry, DictionaryField, DictionaryType } from './abap-gateway/dictionary.ts'
export type { GatewaySeen, SeenCall, SeenLogon } from './abap-gateway/gateway-seen.ts'
export type { GatewayMoment, GatewayScript, ScriptedAnswer } from './abap-gateway/scripted-answer.ts'
export { type ByteReader, createByteReader } from './byte-reader.ts'
export { type ConnectProxy, type ConnectProxyOptions, createConnectProxy } from './connect-proxy.ts'
export { createForwardProxy, type ForwardProxy, type ForwardProxyOptions } from './forward-proxy.ts'
export { createHttpBackend, type HttpAnswer, type HttpBackend, type HttpBackendOptions, type SeenRequest } from './http-backend.ts'
export { joinSockets } from './join-sockets.ts'
export { createManualClock, type ManualClock } from './manual-clock.ts'
export { createMemoryKeySystem, type MemoryKeySystem } from './memory-key-system.ts'
export { createMemoryNetwork, type MemoryNetwork } from './memory-network.ts'
export { createMemoryPair } from './memory-pair.ts'
export { createMessageServer, type MessageServer, type MessageServerOptions } from './message-server.ts'
export { createNiConnection, type NiConnection } from './ni-connection.ts'
export { createOpenStreams, type OpenStreams } from './open-streams.ts'
export { createSapRouter, type SapRouter, type SapRouterOptions } from './sap-router.ts'
export { createProxiedNetwork, type ProxiedNetwork } from './proxied-network.ts'
export { createSocketNetwork, listen } from './socket-network.ts'
export { createSoapNode, type SoapCall, type SoapNode, type SoapNodeOptions } from './soap-node/soap-node.ts'
export { createSocksServer, type SocksAttempt, type SocksServer, type SocksServerOptions } from './socks-server.ts'
export { createTestCa, type TestCa, type TestIdentity } from './test-ca.ts'
export { createTestIssuer, type TestIssuer } from './test-issuer.ts'
export type { FarEnd, TestNetwork } from './test-network.ts'
export { createTransitServer, type TransitServer } from './transit-server.ts'
