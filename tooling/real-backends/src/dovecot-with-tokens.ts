import { type Dovecot, type DovecotOptions, startDovecot } from './dovecot.ts'
import { startTokenIntrospection, type TokenIntrospection } from './token-introspection.ts'

/** A mail server, and whom it asks about tokens. */
export interface DovecotWithTokens extends Dovecot {
  readonly introspection: TokenIntrospection
}

/** Starts a mail server that takes passwords and tokens. The caller stops it, which ends both. */
export async function startDovecotWithTokens(options: Omit<DovecotOptions, 'introspection'>): Promise<DovecotWithTokens> {
  const introspection = await startTokenIntrospection()
  try {
    const dovecot = await startDovecot({ ...options, introspection: introspection.url })
    return {
      ...dovecot,
      introspection,
      async [Symbol.asyncDispose]() {
        await dovecot[Symbol.asyncDispose]()
        await introspection[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await introspection[Symbol.asyncDispose]()
    throw error
  }
}
