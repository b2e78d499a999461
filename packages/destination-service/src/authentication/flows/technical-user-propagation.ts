import { tokenEntry } from '../auth-token-entry.ts'
import type { Flow } from '../flow.ts'
import { requireOnPremise } from '../proxy-type.ts'
import { clientCredentialsToken } from './client-credentials.ts'

/** `OAuth2TechnicalUserPropagation`: a technical token that the cloud connector reads; backends see who it stands for. */
export const technicalUserPropagation: Flow = async (request, tools) => {
  requireOnPremise(request.configuration)
  const token = await clientCredentialsToken(request, tools, { alwaysInternet: true })
  return tokenEntry(token, tools.clock.now(), 'SAP-Connectivity-Technical-Authentication')
}
