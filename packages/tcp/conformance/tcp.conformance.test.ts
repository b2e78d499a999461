import { describeOverDials } from '@sallyport/adapter-dials'
import { tcpBackend } from '@sallyport/conformance/backends'
import { systemClock } from '@sallyport/core'
import { createTcpAdapter } from '../src/index.ts'

describeOverDials('tcp', { ...tcpBackend, create: () => createTcpAdapter({ clock: systemClock }) })
