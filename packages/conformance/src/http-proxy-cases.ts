import { type AuthorizationCase, authorizationCases } from './http-proxy-cases/authorization.ts'
import { type BindingCase, bindingCases } from './http-proxy-cases/bindings.ts'
import { type BodyCase, bodyCases } from './http-proxy-cases/bodies.ts'
import { type ConnectionCase, connectionCases } from './http-proxy-cases/connections.ts'
import { type HeaderCase, headerCases } from './http-proxy-cases/headers.ts'
import type { HttpProxyCase } from './http-proxy-cases/http-proxy-case.ts'
import { type RefusalCase, refusalCases } from './http-proxy-cases/refusals.ts'
import { type RequestFormCase, requestFormCases } from './http-proxy-cases/request-forms.ts'
import { type UpgradeCase, upgradeCases } from './http-proxy-cases/upgrades.ts'

/** The title of a case. */
export type HttpProxyCaseName =
  | RequestFormCase
  | BodyCase
  | ConnectionCase
  | AuthorizationCase
  | HeaderCase
  | BindingCase
  | RefusalCase
  | UpgradeCase

/** What an application sees of the HTTP listener of a connectivity proxy. */
export const httpProxyCases: Readonly<Record<HttpProxyCaseName, HttpProxyCase>> = {
  ...requestFormCases,
  ...bodyCases,
  ...connectionCases,
  ...authorizationCases,
  ...headerCases,
  ...bindingCases,
  ...refusalCases,
  ...upgradeCases,
}
