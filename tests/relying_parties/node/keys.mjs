// Prints new key pairs by their algorithms, as two JWKs each: what a relying party keeps, and what it registers.
import { generateKeyPairSync } from 'node:crypto'

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const kinds = {
  RS256: ['sig', rsa],
  PS256: ['sig', rsa],
  ES256: ['sig', p256],
  EdDSA: ['sig', () => generateKeyPairSync('ed25519')],
  'RSA-OAEP-256': ['enc', rsa],
  'ECDH-ES': ['enc', p256],
}

const pairs = Object.entries(kinds).map(([alg, [use, generate]]) => {
  const { privateKey, publicKey } = generate()
  const jwk = (key) => ({ kid: `app-${alg.toLowerCase()}`, use, alg, ...key.export({ format: 'jwk' }) })
  return [alg, { private: jwk(privateKey), public: jwk(publicKey) }]
})
console.log(JSON.stringify(Object.fromEntries(pairs)))
