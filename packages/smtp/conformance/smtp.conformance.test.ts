import { describeOverDials } from '@sallyport/adapter-dials'
import { smtpBackend } from '@sallyport/conformance/backends'
import { systemClock } from '@sallyport/core'
import { createSmtpAdapter } from '../src/index.ts'

describeOverDials('smtp', { ...smtpBackend, create: () => createSmtpAdapter({ clock: systemClock }) })
