/** The address of a token service, or why there is none. */
export type TokenUrl = { readonly url: URL } | { readonly problem: string }

/** The text that SAP's service answers; operators search for it. */
const tenantMissing = 'You must send the X-tenant header when the tokenServiceURLType property is Common'

/**
 * Resolves `tokenServiceURL`. A `Dedicated` one stays as it is. In a `Common` one every `{tenant}` becomes the tenant's subdomain; where there is none,
 * the subdomain is put before the host. The subdomain has been checked to be one label, so that it cannot lead to another host.
 */
export function resolveTokenUrl(template: string, options: { readonly common: boolean; readonly subdomain: string | undefined }): TokenUrl {
  if (template === '') return { problem: 'The property tokenServiceURL is missing' }
  if (!options.common) return parse(template)
  if (options.subdomain === undefined) return { problem: tenantMissing }
  if (template.includes('{tenant}')) return parse(template.replaceAll('{tenant}', options.subdomain))
  const base = parse(template)
  return 'problem' in base
    ? base
    : parse(`${base.url.protocol}//${options.subdomain}.${base.url.host}${base.url.pathname}${base.url.search}`)
}

function parse(text: string): TokenUrl {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return { problem: 'The property tokenServiceURL is not an http or https URL' }
  if (url.username !== '' || url.password !== '') return { problem: 'The property tokenServiceURL must not contain credentials' }
  return { url }
}
