import { X509Certificate } from 'node:crypto'
import { createManualClock } from '@sallyport/test-fixtures'
import { parseName } from '@sallyport/x509'
import { describe, expect, it } from 'vitest'
import { createKeyPairs } from '../keys/key-pairs.ts'
import type { AuthorityGeneration, AuthorityRepository } from './authority-repository.ts'
import { createCertificateAuthority } from './certificate-authority.ts'

const year = 365.25 * 86_400_000
const keyPairs = createKeyPairs({ rsaBits: 2_048 })

function keptInMemory(): AuthorityRepository & { readonly generations: AuthorityGeneration[] } {
  const generations: AuthorityGeneration[] = []
  return {
    generations,
    latest: () => Promise.resolve(generations.at(-1)),
    async add(_landscape, candidate) {
      if (generations.every(({ generation }) => generation !== candidate.generation)) generations.push(candidate)
      return generations.at(-1) ?? candidate
    },
  }
}

describe('the built-in authority', () => {
  it('hands over to another one in time, and to another root when that is due; every certificate outlives nobody above it', async () => {
    const clock = createManualClock()
    const authorities = keptInMemory()
    const { publicKey } = await keyPairs.generate()
    const chains: X509Certificate[][] = []
    for (let passed = 0; passed < 45; passed += 5) {
      // Replicas, and processes after a restart, remember nothing.
      const authority = createCertificateAuthority({ landscape: 'eu', authorities, keyPairs, clock })
      const notAfterMs = clock.now() + 10 * year
      const [first, second] = await Promise.all([0, 1].map(() => authority.issue({ subject: parseName('CN=x'), publicKey, notAfterMs })))
      expect(first?.slice(1)).toEqual(second?.slice(1))
      chains.push((first ?? []).map((pem) => new X509Certificate(pem)))
      clock.advance(5 * year)
    }
    for (const [leaf, issuing, root] of chains) {
      if (leaf === undefined || issuing === undefined || root === undefined) throw new Error('the chain is too short')
      expect([leaf.verify(issuing.publicKey), issuing.verify(root.publicKey), root.verify(root.publicKey)]).toEqual([true, true, true])
      expect([leaf.checkIssued(issuing), issuing.checkIssued(root)]).toEqual([true, true])
      expect(issuing.validToDate.getTime()).toBeGreaterThanOrEqual(leaf.validToDate.getTime())
      expect(root.validToDate.getTime()).toBeGreaterThanOrEqual(issuing.validToDate.getTime())
    }
    const roots = new Set(chains.map(([, , root]) => root?.fingerprint256))
    const issuers = new Set(chains.map(([, issuing]) => issuing?.fingerprint256))
    expect([roots.size, issuers.size]).toEqual([3, 5])
    expect(authorities.generations.map(({ generation }) => generation)).toEqual([1, 2, 3, 4, 5])
  })
})
