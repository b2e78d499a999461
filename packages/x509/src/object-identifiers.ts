/** Object identifiers as complete DER elements (tag, length, content), written once and copied into what is encoded. */
const der = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

export const rsaEncryption: Buffer = der('06 09 2a864886f70d010101')
export const sha256WithRsa: Buffer = der('06 09 2a864886f70d01010b')
export const sha384WithRsa: Buffer = der('06 09 2a864886f70d01010c')
export const sha512WithRsa: Buffer = der('06 09 2a864886f70d01010d')

export const ecPublicKey: Buffer = der('06 07 2a8648ce3d0201')
export const p256: Buffer = der('06 08 2a8648ce3d030107')
export const p384: Buffer = der('06 05 2b81040022')
export const ecdsaWithSha256: Buffer = der('06 08 2a8648ce3d040302')
export const ecdsaWithSha384: Buffer = der('06 08 2a8648ce3d040303')
export const ecdsaWithSha512: Buffer = der('06 08 2a8648ce3d040304')

export const subjectKeyIdentifier: Buffer = der('06 03 551d0e')
export const keyUsage: Buffer = der('06 03 551d0f')
export const subjectAltName: Buffer = der('06 03 551d11')
export const basicConstraints: Buffer = der('06 03 551d13')
export const authorityKeyIdentifier: Buffer = der('06 03 551d23')
export const extendedKeyUsage: Buffer = der('06 03 551d25')
export const serverAuth: Buffer = der('06 08 2b06010505070301')
export const clientAuth: Buffer = der('06 08 2b06010505070302')

/** PKCS #9 attribute of a certification request that lists the extensions asked for (RFC 2985 §5.4.2). */
export const extensionRequest: Buffer = der('06 09 2a864886f70d01090e')
