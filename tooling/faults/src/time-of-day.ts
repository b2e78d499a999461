import { request } from 'node:https'

/** What time it is for the process that listens on a port: servers say it with every answer. @throws Error when none comes. */
export function timeOfDay(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(5_000)
    // The certificate does not matter: nothing is told, and nothing but the time is read.
    request({ host, port, agent: false, rejectUnauthorized: false, signal }, (response) => {
      response.resume()
      resolve(Date.parse(response.headers.date ?? ''))
    })
      .on('error', reject)
      .end()
  })
}
