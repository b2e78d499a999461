import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '@sallyport/core'
import { ids, type RunningService, secrets, startService } from '../conformance/running-service.ts'

/** The shortest limit of the official clients is two seconds; this is a quarter of it. */
const budgetMs = 500
/** As many clients at once as a large application has instances. */
const clientsAtOnce = 32
const requestsEach = 8

let running: RunningService
beforeAll(async () => {
  running = await startService({ clock: systemClock })
})
afterAll(async () => running.service.close())

it('CL-200 answers stay below half a second while many clients ask at once, whatever they ask for', async () => {
  const client = { client_id: ids.app, client_secret: secrets.app }
  const assertion = await running.userToken()
  const kinds: readonly Readonly<Record<string, string>>[] = [
    { ...client, grant_type: 'client_credentials' },
    { ...client, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion },
  ]
  const durations: number[] = []
  const oneClient = async (at: number): Promise<void> => {
    for (let count = 0; count < requestsEach; count++) {
      const begun = performance.now()
      // oxlint-disable-next-line no-await-in-loop -- a client asks again when it has its answer
      const { status } = await running.token(kinds[(at + count) % kinds.length] ?? {})
      durations.push(performance.now() - begun)
      expect(status).toBe(200)
    }
  }
  await Promise.all(Array.from({ length: clientsAtOnce }, (_, at) => oneClient(at)))
  const sorted = durations.toSorted((a, b) => a - b)
  // One in twenty may have met another program that wanted the processor.
  expect(sorted[Math.floor(sorted.length * 0.95)]).toBeLessThan(budgetMs)
})
