import { expect, it } from 'vitest'
import { ids, secrets, startService } from './running-service.ts'

const app = { client_id: ids.app, client_secret: secrets.app }

it('CL-041 scope of the answer lists what the groups of the user give', async () => {
  await using running = await startService()
  const root = await running.token({ grant_type: 'password', ...app, username: 'root', password: 'battery staple' })
  expect(root.json()['scope']).toBe('openid app!t1.Display app!t1.Admin')
  const jane = await running.token({ grant_type: 'password', ...app, username: 'jane@acme.test', password: 'correct horse' })
  expect(jane.json()['scope']).toBe('openid app!t1.Display')
})

it.each([
  ['a wrong password', 'jane@acme.test', 'wrong'],
  ['an unknown user', 'nobody', 'correct horse'],
  ['a password of the same name in another tenant', 'jane@acme.test', 'subscriber pass'],
])('refuses %s with 401 and says no more', async (_, username, password) => {
  await using running = await startService()
  const answer = await running.token({ grant_type: 'password', ...app, username, password })
  expect(answer.status).toBe(401)
  expect(answer.json()).toEqual({ error: 'unauthorized', error_description: 'Bad credentials' })
})

it('stops reading passwords of a user after ten failures, for five minutes', async () => {
  await using running = await startService()
  const attempt = (password: string) => running.token({ grant_type: 'password', ...app, username: 'root', password })
  // Five at a time are never too many at once.
  for (const round of [5, 5])
    for (const answer of await Promise.all(Array.from({ length: round }, () => attempt('wrong')))) expect(answer.status).toBe(401)
  const locked = await attempt('battery staple')
  expect(locked.status).toBe(429)
  expect(Number(locked.headers['retry-after'])).toBeGreaterThan(0)
  running.clock.advance(5 * 60_000)
  expect((await attempt('battery staple')).status).toBe(200)
})

it('answers 503 instead of letting log-ons queue up without end', async () => {
  await using running = await startService()
  const attempts = Array.from({ length: 20 }, (_, at) =>
    running.token({ grant_type: 'password', ...app, username: `u${at}`, password: 'x' }),
  )
  const answers = await Promise.all(attempts)
  const busy = answers.filter(({ status }) => status === 503)
  expect(busy.length).toBeGreaterThan(0)
  expect(busy.length).toBeLessThanOrEqual(6)
  expect(busy[0]?.json()['error']).toBe('temporarily_unavailable')
  expect(answers.every(({ status }) => status === 401 || status === 503)).toBe(true)
})
