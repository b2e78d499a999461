/**
 * A process of its own that makes SPNEGO tokens with the credential cache that its environment names: GSSAPI reads the name of the cache from the environment
 * of the process, so that tokens for different users must not be made in one process at the same time. The parent asks by IPC, one token after the other.
 */

/** What the parent asks: the service, as GSSAPI writes it (`HTTP@host`). */
interface Question {
  readonly service: string
}

/** What it is told; `loaded` comes once, by itself. */
export type ChildAnswer =
  | { readonly loaded: true }
  | { readonly missing: string }
  | { readonly token: string }
  | { readonly problem: string }

const tell = (answer: ChildAnswer): void => void process.send?.(answer)
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown').slice(0, 500)

async function serve(): Promise<void> {
  const { default: kerberos } = await import('kerberos')
  // Its types call the second one by another name. Without flags the backend owes no proof of its own, for which HTTP has no room.
  const options = { mechOID: kerberos.GSS_MECH_OID_SPNEGO, flags: 0 }
  process.on('message', ({ service }: Question) => {
    kerberos
      .initializeClient(service, options)
      .then((client) => client.step(''))
      .then(
        (token) => tell({ token }),
        (error: unknown) => tell({ problem: reasonOf(error) }),
      )
  })
  tell({ loaded: true })
}

serve().catch((error: unknown) => tell({ missing: reasonOf(error) }))
