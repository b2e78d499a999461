import { expect, it } from 'vitest'
import { listedDestination } from './listed-destination.ts'

it.each([
  [
    'HTTP',
    { URL: 'http://erp:80', ProxyType: 'OnPremise', Authentication: 'NoAuthentication' },
    ['OnPremise', 'NoAuthentication', 'http://erp:80'],
  ],
  ['TCP', { Address: 'db:5432', ProxyType: 'OnPremise' }, ['OnPremise', '', 'db:5432']],
  [
    'RFC',
    {
      'jco.client.ashost': 'erp',
      'jco.client.sysnr': '42',
      'jco.destination.proxy_type': 'OnPremise',
      'jco.destination.auth_type': 'CONFIGURED_USER',
    },
    ['OnPremise', 'CONFIGURED_USER', 'erp:sapgw42'],
  ],
  ['RFC', { 'jco.client.mshost': 'ms', 'jco.client.r3name': 'ABC' }, ['', '', 'ms:sapmsABC']],
  ['RFC', { 'jco.client.mshost': 'ms', 'jco.client.msserv': '3600' }, ['', '', 'ms:3600']],
  ['RFC', { 'jco.client.wshost': 'web', 'jco.client.wsport': '443' }, ['', '', 'web:443']],
  ['RFC', { 'jco.client.ashost': 'erp' }, ['', '', 'erp']],
  ['RFC', {}, ['', '', '']],
  [
    'LDAP',
    { 'ldap.url': 'ldap://dir:389/dc=acme', 'ldap.proxyType': 'OnPremise', 'ldap.authentication': 'BasicAuthentication' },
    ['OnPremise', 'BasicAuthentication', 'ldap://dir:389/dc=acme'],
  ],
  [
    'MAIL',
    {
      ProxyType: 'OnPremise',
      Authentication: 'BasicAuthentication',
      'mail.transport.protocol': 'smtp',
      'mail.smtp.host': 'post',
      'mail.smtp.port': '25',
    },
    ['OnPremise', 'BasicAuthentication', 'smtp://post:25'],
  ],
  ['MAIL', { 'mail.transport.protocol': 'smtp', 'mail.imap4s.host': 'post' }, ['', '', 'imap4s://post']],
  ['MAIL', { 'mail.transport.protocol': 'smtp' }, ['', '', '']],
])('a destination of type %s with %j is listed', (Type, properties, [ProxyType, Authentication, Address]) => {
  expect(listedDestination({ Type, ...properties })).toEqual({ ProxyType, Authentication, Address })
})
