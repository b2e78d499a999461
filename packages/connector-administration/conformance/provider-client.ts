import { expect } from 'vitest'
import type { AdministrationBench, BenchAnswer } from './administration-bench.ts'

/** Calls as those of the Terraform provider: whatever is not one of its three answers is an error, and what it reads it parses. */
export interface ProviderClient {
  call(method: string, path: string, body?: unknown): Promise<BenchAnswer>
  /** The parsed answer; `undefined` for an empty one. */
  ok(method: string, path: string, body?: unknown): Promise<any>
  /** A form; buffers are files. */
  upload(method: string, path: string, parts: Parameters<AdministrationBench['upload']>[2]): Promise<void>
  /** The certificate itself, in DER. */
  binary(path: string): Promise<Buffer>
}

const accepted = expect.toSatisfy((status) => [200, 201, 204].includes(status))

export function createProviderClient(bench: AdministrationBench): ProviderClient {
  const call = (method: string, path: string, body?: unknown, accept = '*/*'): Promise<BenchAnswer> =>
    bench.call(method, path, body, { headers: { accept } })
  const check = (method: string, path: string, { body, status }: BenchAnswer): void =>
    expect([method, path, status, body]).toEqual([method, path, accepted, body])
  return {
    call,
    async ok(method, path, body) {
      const answer = await call(method, path, body)
      check(method, path, answer)
      return answer.body === '' ? undefined : answer.json()
    },
    async upload(method, path, parts) {
      check(method, path, await bench.upload(method, path, parts))
    },
    async binary(path) {
      const answer = await call('GET', path, undefined, 'application/pkix-cert')
      check('GET', path, answer)
      return answer.bytes
    },
  }
}
