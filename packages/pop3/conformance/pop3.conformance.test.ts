import { describeOverDials } from '@sallyport/adapter-dials'
import { pop3Backend } from '@sallyport/conformance/backends'
import { systemClock } from '@sallyport/core'
import { createPop3Adapter } from '../src/index.ts'

describeOverDials('pop3', { ...pop3Backend, create: () => createPop3Adapter({ clock: systemClock }) })
