import type { HttpProxyCaseName, Socks5CaseName } from '@sallyport/conformance/cases'
import type { Tamperings } from './suite-far-side.ts'

/** Made anew for each run, because some remember what they have seen. */
type Broken = () => Tamperings

const answers =
  (from: string | RegExp, to: string): Broken =>
  () => ({ front: { backward: (text) => text.replace(from, to) } })
const asks =
  (from: string | RegExp, to: string): Broken =>
  () => ({ front: { forward: (text) => text.replace(from, to) } })
const backendGets =
  (from: string | RegExp, to: string): Broken =>
  () => ({ back: { forward: (text) => text.replace(from, to) } })
const backendGetsHeader = (line: string): Broken => backendGets('\r\n', `\r\n${line}\r\n`)
const status = (from: number, to: number): Broken => answers(` ${from} `, ` ${to} `)

/** Passes nothing on before the end has arrived. */
function buffered(end: string): (text: string) => string {
  let held = ''
  return (text) => {
    held += text
    return held.includes(end) ? held : ''
  }
}

/** Sends every later match as the first one was. */
function sticky(pattern: RegExp): (text: string) => string {
  let first: string | undefined
  return (text) => text.replace(pattern, (match) => (first ??= match))
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** For every case of the HTTP table a proxy that breaks this one promise. */
export const brokenHttpProxies: Readonly<Record<HttpProxyCaseName, Broken>> = {
  'passes an absolute-form request on to the mapped backend': asks('/a?b=1', '/a'),
  'answers an https URL with 405': status(405, 200),
  'answers CONNECT with 405, and goes on or closes in order': status(405, 200),
  'takes the target of an origin-form request from its Host': asks('/origin', '/other'),
  'lets the request line decide, not a Host that differs': asks(/GET http:\/\/[^/]+/, 'GET '),
  'matches virtual hosts whatever their case': asks(/FAR\d+/, 'OTHER'),
  'passes path and query on byte for byte': backendGets('%20', '+'),
  'refuses a target that names no virtual host with 400': asks('user:secret@', ''),
  'passes a request line of 8192 bytes, and refuses one of 8193 with 4xx': status(414, 200),
  'passes a header line of 8192 bytes, and refuses one of 8193 with 4xx': status(431, 200),
  'passes methods on, heard of or not': backendGets(/^PATCH/, 'PUT'),
  'streams an upload before its end is known': () => ({ front: { forward: buffered('0\r\n\r\n') } }),
  'streams an answer before its end is known': () => ({ front: { backward: buffered('0\r\n\r\n') } }),
  'passes Expect: 100-continue and what the backend says to it': asks(/expect: [^\r]*\r\n/i, ''),
  'relays interim answers before the final one': answers(/HTTP\/1.1 103[^]*?\r\n\r\n/, ''),
  'ends the answer to HEAD without a body, and goes on': answers(/abc\r\n\r\n$/, 'abc\r\n\r\nhello'),
  'knows that 204 and 304 have no body': answers(/( 304 [^]*\r\n\r\n)$/, '$1ten bytes!'),
  'ends a body of unknown length with the connection': () => ({ front: { deafTo: 'dialled' } }),
  'carries large bodies both ways, unchanged': backendGets('\xff', '\xfe'),
  'passes status, repeated headers and error bodies on unchanged': answers('Somewhere Else', 'Found'),
  'spares an HTTP/1.0 application interim answers and chunks, and closes': asks('HTTP/1.0', 'HTTP/1.1'),
  'keeps one backend connection for all requests of a connection': asks('\r\n', '\r\nConnection: close\r\n'),
  'ends the backend connection when the application ends its own': () => ({ front: { deafTo: 'dialler' } }),
  'ends the connection of the application when the backend ends its own': () => ({ front: { deafTo: 'dialled' } }),
  'closes behind an answer with Connection: close': () => ({ front: { deafTo: 'dialled' } }),
  'answers pipelined requests in order, one after the other': answers('1!', '2!'),
  'delivers the answer to an application that has ended its side': () => ({ front: { endsBoth: true } }),
  'passes an early answer on while the upload is still running': () => ({ front: { backward: () => '' } }),
  'cuts an answer that breaks off, so that nobody takes it for complete': () => ({ front: { ending: 'softened' } }),
  'drops the backend of an application that ends within a body': () => ({ back: { deafTo: 'dialler' } }),
  'never takes an answer that nobody asked for as the next one': answers(ok, `${ok}${ok.replace('ok', 'no')}`),
  'answers 407 to a request without a token, and names the scheme': answers(/proxy-authenticate: [^\r]*\r\n/i, ''),
  'answers 407 to what is no token': status(407, 403),
  'answers 407 to a token with an altered payload': status(407, 401),
  'answers 407 to tokens that are not signed with a key of the issuer': status(407, 401),
  'takes the token as user name of Basic authentication': asks('Basic', 'Digest'),
  'authorises every request of a connection, not only the first': () => ({
    front: {
      forward: (text) => text.replace(/^(GET [^]*\/2 HTTP\/1.1\r\n)/, '$1Proxy-Authorization: x\r\n'),
      backward: (text) => text.replace(' 407 ', ' 200 '),
    },
  }),
  'shows no token in its answers': () => {
    let token = ''
    return {
      front: {
        forward: (text) => {
          token = /Bearer (\S+)/.exec(text)?.[1] ?? token
          return text
        },
        backward: (text) => text.replace('\r\n', `\r\nX-Refused: ${token}\r\n`),
      },
    }
  },
  'asks for no token where it trusts its network': status(200, 407),
  'keeps Proxy-Authorization from the backend': backendGetsHeader('Proxy-Authorization: Bearer x'),
  'keeps SAP-Connectivity-ConsumerAccount from the backend': backendGetsHeader('SAP-Connectivity-ConsumerAccount: x'),
  'keeps the control headers from the backend': backendGetsHeader('SAP-Connectivity-SCC-Location_ID: x'),
  'keeps hop-by-hop headers from the backend': backendGetsHeader('Keep-Alive: timeout=5'),
  'keeps the token of a user from the backend': backendGetsHeader('SAP-Connectivity-Authentication: Bearer x'),
  'passes Authorization on unchanged': backendGets('dTpw', '****'),
  'matches names of control headers whatever their case': asks(/sap-CONNECTIVITY[^\r]*\r\n/, ''),
  'does not deliver a client certificate that the application made up': backendGetsHeader('X-Cert: made-up'),
  'keeps order and number of repeated headers': backendGets('X-B: 3\r\n', ''),
  'refuses a control header that stands twice with 400': asks(/(SAP-[^\r]*\r\n)\1/, ''),
  'refuses two principals in one request with 400': asks(/SAP-Connectivity-Technical[^\r]*\r\n/, ''),
  'never sends a request for another virtual host to the backend of the first': () => ({
    front: { forward: sticky(/http:\/\/[^/]+/) },
  }),
  'answers another virtual host with 403 in the documented words, and goes on with the first': answers('Access denied', 'No access'),
  'answers another location with 400 in the documented words': answers('One of the headers', 'A header'),
  'answers another user with 403': () => ({ front: { forward: sticky(/SAP-Connectivity-Authentication: [^\r]*/) } }),
  'selects the connector by the location ID, whose case counts': asks(/orlando\r\n/, 'Orlando\r\n'),
  'answers a location that no connector has with 503 in the documented words': answers('no SAP Cloud Connector', 'no connector'),
  'answers an address that is not exposed with 403 in the documented words': answers('Access denied to system', 'Unknown system'),
  'answers 502 when the backend refuses connections': status(502, 503),
  'answers 502 when the backend closes without an answer': status(502, 200),
  'answers 502 when the backend does not speak HTTP': status(502, 200),
  'answers 4xx to heads that two readers could understand differently, and closes': asks(/Content-Length: \+5/, 'Content-Length: 5'),
  'takes nothing behind a malformed body for a request': asks('zz\r\nhello', '5\r\nhello'),
  'closes behind what is no HTTP at all': answers(/^HTTP\/1.1 4\d\d/, 'HTTP/1.1 200'),
  'turns a connection into opaque bytes both ways after 101': asks(/Upgrade: websocket\r\n/, ''),
  'passes a refused upgrade on as an ordinary answer, and goes on': status(403, 502),
  'does not pass h2c on': backendGetsHeader('Upgrade: h2c'),
}

/** For every case of the SOCKS5 table a proxy that breaks this one promise. */
export const brokenSocks5Proxies: Readonly<Record<Socks5CaseName, Broken>> = {
  'answers the token method with itself, also among others': answers('\x05\x80', '\x05\x00'),
  'answers a list without the token method with ff, and closes': answers('\x05\xff', '\x05\x00'),
  'closes without an answer on another version': asks('GET', '\x05\x01\x00'),
  'answers a valid token without location with 01 00': answers('\x01\x00', '\x01\x01'),
  'answers everything but a valid token with 01 05, and closes': answers('\x01\x05', '\x01\x01'),
  'reads the location ID as Base64 of UTF-8': asks('\x0cT3JsYW5kbw==', '\x00'),
  'refuses a location ID that is no Base64': answers('\x01\x05', '\x01\x00'),
  'refuses a token length above all bounds at once': asks('\x7f\xff\xff\xff', '\x00\x00\xff\xff'),
  'takes every message one byte at a time': () => ({ front: { forward: (text) => (text.length === 1 ? '' : text) } }),
  'takes messages that arrive together, payload included': () => ({ front: { forward: (text) => text.slice(0, 3) } }),
  'reaches a mapping by its domain, and replies ten bytes with an IPv4 address': answers('\x05\x00\x00\x01', '\x05\x00\x00\x03'),
  'takes an IPv4 address for the virtual host of its dotted text': answers('\x05\x00\x00\x01', '\x05\x02\x00\x01'),
  'answers an IPv6 address with 08': answers('\x05\x08', '\x05\x01'),
  'answers BIND and UDP ASSOCIATE with 07': asks('\x05\x03\x00', '\x05\x01\x00'),
  'answers an address that is not exposed with 02': answers('\x05\x02', '\x05\x01'),
  'answers a location that no connector has with 03': answers('\x05\x03', '\x05\x01'),
  'answers a backend that refuses connections with 04': answers('\x05\x04', '\x05\x01'),
  'answers a malformed target with 01': answers('\x05\x01', '\x05\x02'),
  'passes the end of the application on, and the answer after it': () => ({ front: { endsBoth: true } }),
  'passes the end of the backend on, and what the application says after it': () => ({ front: { endsBoth: true } }),
  'serves an application that ends its side before anything was answered': () => ({ front: { endsBoth: true } }),
  'tells a reset of the backend by a reset': () => ({ front: { ending: 'softened' } }),
  'ends the connection at once when the backend ends it': () => ({ front: { deafTo: 'dialled' } }),
  'delivers a greeting that the backend sends first': answers('220 mail.example ESMTP\r\n', ''),
  'carries large transfers whole in both directions': answers('\xff', '\xfe'),
  'carries TLS between application and backend untouched': answers('\x03\x03', '\x03\x04'),
  'keeps several connections apart': answers('number 1', 'number 2'),
}
