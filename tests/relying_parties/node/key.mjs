// Prints a new P-256 key pair as two JWKs: what a relying party keeps, and what it registers.
const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const jwk = async (key) => {
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', key)
  return { kid: 'app-1', use: 'sig', alg: 'ES256', kty, crv, x, y, ...(d && { d }) }
}
console.log(JSON.stringify({ private: await jwk(privateKey), public: await jwk(publicKey) }))
