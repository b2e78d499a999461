import { describe, expect, it } from 'vitest'
import { isAddressAllowed } from './address-policy.ts'

describe('the address policy', () => {
  it.each(['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '100.63.255.255', '2606:4700::1111', '::ffff:8.8.8.8'])(
    'lets calls go to %s',
    (address) => {
      expect(isAddressAllowed(address, 'refuse')).toBe(true)
    },
  )

  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
  ])('lets calls go to %s only where private addresses are allowed', (address) => {
    expect(isAddressAllowed(address, 'refuse')).toBe(false)
    expect(isAddressAllowed(address, 'allow')).toBe(true)
  })

  it.each([
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    '::ffff:100.100.100.200',
    'fd00:ec2::254',
    'fd20:ce::254',
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '198.18.0.1',
    '::',
    'fe80::1',
    'ff02::1',
    '::ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:1::',
  ])('never lets calls go to %s', (address) => {
    expect(isAddressAllowed(address, 'allow')).toBe(false)
    expect(isAddressAllowed(address, 'refuse')).toBe(false)
  })
})
