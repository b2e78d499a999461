/** x */
export { createConnectivityProxy } from './connectivity-proxy.ts'
