import { describeOverDials } from '@sallyport/adapter-dials'
import { imapBackend } from '@sallyport/conformance/backends'
import { systemClock } from '@sallyport/core'
import { ImapFlow } from 'imapflow'
import { ImapFlow as OlderImapFlow } from 'imapflow-2.1'
import { createImapAdapter, type ImapFlowClass } from '../src/index.ts'

const libraries: readonly (readonly [string, ImapFlowClass])[] = [
  ['imap with the option transport', ImapFlow],
  ['imap with the bridge', OlderImapFlow as unknown as ImapFlowClass],
]

for (const [name, library] of libraries) {
  describeOverDials(name, { ...imapBackend, create: () => createImapAdapter({ clock: systemClock, library }) })
}
