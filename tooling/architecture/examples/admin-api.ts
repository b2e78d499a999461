/** A service token that nobody checks, and a service that answers like an empty one. */
export const serviceToken = (): Promise<string> => Promise.resolve('token')
export const fetch = (_url: string | URL, init?: { readonly method?: string }): Promise<Response> =>
  Promise.resolve(
    init?.method === 'GET'
      ? Response.json({ owner: { SubaccountId: 'demo', InstanceId: null }, destinationConfiguration: { Name: 'ERP', Type: 'HTTP' } })
      : Response.json({ Count: 1 }, { status: 201 }),
  )
