import { BlockList, isIPv6 } from 'node:net'

/** Whether destinations may name token services in private networks. */
export type PrivateAddresses = 'refuse' | 'allow'

/**
 * Never a token service, whatever the policy: link-local addresses and the others where clouds keep the credentials of machines, unspecified, multicast,
 * reserved and documentation ranges, and the IPv6 forms that smuggle an IPv4 address past a list (NAT64, 6to4, Teredo). IANA special-purpose registries, 2026.
 */
const neverAllowed = list(
  [
    '0.0.0.0/8',
    // Metadata of Alibaba Cloud; the wire server of Azure, in a public range.
    '100.100.100.200/32',
    '168.63.129.16/32',
    '169.254.0.0/16',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/4',
    '240.0.0.0/4',
  ],
  [
    '::/128',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '100::/64',
    '2001::/32',
    '2001:db8::/32',
    '2002::/16',
    // Metadata of AWS, and of Google Cloud.
    'fd00:ec2::254/128',
    'fd20:ce::254/128',
    'fe80::/10',
    'fec0::/10',
    'ff00::/8',
  ],
)

/** Loopback, private and shared networks: where a self-hosted token service may well be, and what a cloud service must not reach for its tenants. */
const privateNetworks = list(['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'], ['::1/128', 'fc00::/7'])

/** Decides by the address that will be dialled, never by the name. IPv4 addresses written as IPv6 are read as what they are. */
export function isAddressAllowed(address: string, policy: PrivateAddresses): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (neverAllowed.check(address, family)) return false
  return policy === 'allow' || !privateNetworks.check(address, family)
}

function list(v4: readonly string[], v6: readonly string[]): BlockList {
  const blocked = new BlockList()
  for (const [networks, family] of [
    [v4, 'ipv4'],
    [v6, 'ipv6'],
  ] as const) {
    for (const network of networks) {
      const [base = '', bits = ''] = network.split('/')
      blocked.addSubnet(base, Number(bits), family)
    }
  }
  return blocked
}
