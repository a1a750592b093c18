// A certified OpenID provider for the tests of single sign-on: one client, and whoever is named in
// the request is signed in without being asked. Prints its issuer once it listens.
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const [clientId, clientSecret, redirectUri] = process.argv.slice(2);

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name'] },
    cookies: { keys: ['tests of single sign-on'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/as-told/${interaction.uid}` },
    // An account is its address; one that begins with `new` is not known to be its owner's.
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        email: sub,
        email_verified: !sub.startsWith('new'),
        given_name: 'Grace',
      }),
    }),
  });

  // Stands for the person at the provider: signs in as `person` of the cookie and consents.
  provider.use(async (context, next) => {
    if (!context.path.startsWith('/as-told/')) return next();
    const { prompt, params, grantId } = await provider.interactionDetails(context.req, context.res);
    const accountId = context.cookies.get('person');
    if (prompt.name === 'login') {
      return provider.interactionFinished(context.req, context.res, { login: { accountId } });
    }
    const grant = grantId
      ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(
      context.req, context.res, { consent }, { mergeWithLastSubmission: true },
    );
  });

  server.on('request', provider.callback());
  console.log(issuer);
});
