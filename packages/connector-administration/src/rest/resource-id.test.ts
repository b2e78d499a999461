import { property, string, assert } from 'fast-check'
import { describe, expect, it } from 'vitest'
import '../../../../tooling/generated-inputs.ts'
import { decodeResourceId, encodeResourceId } from './resource-id.ts'

describe('ids of resources in paths', () => {
  it.each([
    ['/', '-'],
    ['/a-b/c', '-a+2Db-c'],
    ['/a+b', '-a+2Bb'],
    ['/+2D-', '-+2B2D+2D'],
    ['RFC_PING', 'RFC_PING'],
  ])('writes %s as %s', (id, member) => {
    expect(encodeResourceId(id)).toBe(member)
    expect(decodeResourceId(member)).toBe(id)
  })

  it('reads back whatever it has written', () => {
    assert(property(string(), (id) => decodeResourceId(encodeResourceId(id)) === id))
  })
})
