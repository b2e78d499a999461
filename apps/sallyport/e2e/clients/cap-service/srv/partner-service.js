const cds = require('@sap/cds')

module.exports = async (service) => {
  const partners = await cds.connect.to('PARTNERS')
  const ping = await cds.connect.to('PING')
  const net = await cds.connect.to('NET')
  const unreachable = await cds.connect.to('UNREACHABLE')
  const pick = ({ BusinessPartner, BusinessPartnerFullName, CreatedByUser }) => ({
    BusinessPartner,
    BusinessPartnerFullName,
    CreatedByUser,
  })

  service.on('first', async () => (await partners.send({ method: 'GET', path: 'A_BusinessPartner?$top=1' })).map(pick))
  service.on('addPartner', async ({ data }) =>
    pick(await partners.send({ method: 'POST', path: 'A_BusinessPartner', data: { BusinessPartnerFullName: data.name, Country: 'AT' } })),
  )
  service.on('ping', async ({ user, tenant }) => ({
    user: user.id,
    tenant,
    loggedOn: (await ping.send({ method: 'GET', path: '/ping' })).user,
  }))
  service.on('internet', async () => {
    const { path, headers } = await net.send({ method: 'GET', path: '/some/where' })
    return { path, authorization: headers.authorization }
  })
  service.on('unreachable', () => unreachable.send({ method: 'GET', path: '/x' }))
  service.on('forSales', () => 'sold')
}
