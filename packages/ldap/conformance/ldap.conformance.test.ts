import { describeOverDials } from '@sallyport/adapter-dials'
import { ldapBackend } from '@sallyport/conformance/backends'
import { systemClock } from '@sallyport/core'
import { createLdapAdapter } from '../src/index.ts'

for (const driver of ['ldapjs', 'ldapts'] as const) {
  describeOverDials(driver, { ...ldapBackend, create: () => createLdapAdapter({ clock: systemClock, driver }) })
}
