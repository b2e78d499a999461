import { formatPem } from '@sallyport/x509'

/** Renders a certificate as the value of `SSL_CLIENT_CERT`. */
export type HeaderEncoder = (certificate: Buffer) => string

/** Base64 of the DER form on one line, as SAP Web Dispatcher sends it: what we send unless told otherwise. */
export const encodeHeaderAsDer: HeaderEncoder = (certificate) => certificate.toString('base64')

/** PEM with blanks instead of line breaks, as Apache and nginx set-ups send it. */
export const encodeHeaderAsPem: HeaderEncoder = (certificate) => formatPem('CERTIFICATE', certificate).trimEnd().replaceAll('\n', ' ')
