import { ConnectivityError } from '@sallyport/core'
import { tokenEntry } from '../auth-token-entry.ts'
import type { AuthenticationRequest } from '../authentication-request.ts'
import type { Flow, FlowTools } from '../flow.ts'
import type { OutgoingRequest } from '../outgoing-request.ts'
import { required } from '../property-reading.ts'
import { type IssuedToken, readAnswerMember } from '../token-answer.ts'
import { jwtBearerToken } from './jwt-bearer.ts'

/**
 * `OAuth2UserTokenExchange`: the user's token becomes one for the client of the destination, as XSUAA does it in two steps: a refresh token for that client,
 * then the token. The refresh token stays here.
 */
export const userTokenExchange: Flow = async (request, tools) => {
  const token = tools.settings.userTokenExchange === 'two-step' ? await inTwoSteps(request, tools) : await jwtBearerToken(request, tools)
  const { refreshToken: _kept, ...shown } = token
  return tokenEntry(shown, tools.clock.now())
}

async function inTwoSteps(request: AuthenticationRequest, { tokens, users }: FlowTools): Promise<IssuedToken> {
  const user = await users.require(request)
  const second = await tokens.prepare(request, { grant: { grant_type: 'refresh_token' }, tenant: 'user' })
  const first = firstStep(second, required(request.configuration, 'clientId'), user.text)
  return tokens.remembered(request, [first, second], async () => {
    const form = new URLSearchParams(second.body)
    form.set('refresh_token', await refreshTokenFor(first, tokens))
    return tokens.issue({ ...second, body: form.toString() })
  })
}

/** The user is the one who asks; the client that the token is for is only named. */
function firstStep(second: OutgoingRequest, clientId: string, userToken: string): OutgoingRequest {
  const form = new URLSearchParams(second.body)
  for (const name of ['client_secret', 'client_assertion', 'client_assertion_type']) form.delete(name)
  form.set('grant_type', 'user_token')
  form.set('client_id', clientId)
  form.set('response_type', 'token')
  form.set('token_format', 'opaque')
  return { ...second, headers: { ...second.headers, authorization: `Bearer ${userToken}` }, body: form.toString() }
}

async function refreshTokenFor(call: OutgoingRequest, tokens: FlowTools['tokens']): Promise<string> {
  try {
    return readAnswerMember(await tokens.send(call), call, 'refresh_token')
  } catch (error) {
    if (!ConnectivityError.is(error, 'TOKEN_NOT_ISSUED')) throw error
    // The words of the original, which operators search for.
    const text = `Unable to fetch refresh token from the specified token service URL. Response was: ${error.message}`
    throw new ConnectivityError('TOKEN_NOT_ISSUED', text, { cause: error })
  }
}
