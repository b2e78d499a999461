import { describeOverDials } from '@sallyport/adapter-dials'
import { classicRfcBackend, withGuest } from '@sallyport/conformance/backends'
import { systemClock } from '@sallyport/core'
import { createClassicBinding, createRfcAdapter } from '../src/index.ts'

describeOverDials('rfc by classic', {
  ...classicRfcBackend,
  create: () => withGuest(createRfcAdapter({ clock: systemClock, bindings: [createClassicBinding()] })),
})
