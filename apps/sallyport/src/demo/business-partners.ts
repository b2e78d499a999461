/** The demo system's data: a handful of business partners that a signed-on user may read and add to. */
interface BusinessPartner {
  readonly BusinessPartner: string
  readonly BusinessPartnerFullName: string
  readonly Country: string
  readonly CreatedByUser: string
}

export interface BusinessPartnerStore {
  list(top: number): readonly BusinessPartner[]
  find(id: string): BusinessPartner | undefined
  /** Adds at most `maxPartners`; the oldest added one makes room. */
  add(name: string, country: string, user: string): BusinessPartner
}

const maxPartners = 1_000

export function createBusinessPartnerStore(): BusinessPartnerStore {
  const partners: BusinessPartner[] = [
    partner(1000001, 'Ravelin Stonework', 'DE', 'SETUP'),
    partner(1000002, 'Bastion Logistics', 'NL', 'SETUP'),
    partner(1000003, 'Keep & Sons', 'GB', 'SETUP'),
    partner(1000004, 'Barbican Foods', 'FR', 'SETUP'),
  ]
  let next = 1000005
  return {
    list: (top) => partners.slice(0, top),
    find: (id) => partners.find((entry) => entry.BusinessPartner === id),
    add(name, country, user) {
      if (partners.length >= maxPartners) partners.splice(4, 1)
      const added = partner(next++, name, country, user)
      partners.push(added)
      return added
    },
  }
}

function partner(id: number, name: string, country: string, user: string): BusinessPartner {
  return { BusinessPartner: String(id), BusinessPartnerFullName: name, Country: country, CreatedByUser: user }
}
