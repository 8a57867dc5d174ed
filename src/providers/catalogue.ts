import type { Provider } from '../domain/provider.ts';
import { adobeIms } from './adobe-ims.ts';
import { adobeImsS2s } from './adobe-ims-s2s.ts';
import { airtable } from './airtable.ts';
import { amazonSpApi } from './amazon-sp-api.ts';
import { asana } from './asana.ts';
import { atlassian } from './atlassian.ts';
import { auth0 } from './auth0.ts';
import { bigcommerce } from './bigcommerce.ts';
import { bitbucket } from './bitbucket.ts';
import { box } from './box.ts';
import { calendly } from './calendly.ts';
import { canva } from './canva.ts';
import { clickup } from './clickup.ts';
import { discord } from './discord.ts';
import { docusign } from './docusign.ts';
import { dropbox } from './dropbox.ts';
import { ebay } from './ebay.ts';
import { exactOnline } from './exact-online.ts';
import { facebook } from './facebook.ts';
import { figma } from './figma.ts';
import { fitbit } from './fitbit.ts';
import { github } from './github.ts';
import { githubAppInstallation } from './github-app-installation.ts';
import { githubAppUser } from './github-app-user.ts';
import { gitlab } from './gitlab.ts';
import { google } from './google.ts';
import { googleServiceAccount } from './google-service-account.ts';
import { gusto } from './gusto.ts';
import { halopsa } from './halopsa.ts';
import { hubspot } from './hubspot.ts';
import { instagram } from './instagram.ts';
import { intercom } from './intercom.ts';
import { linear } from './linear.ts';
import { linkedin } from './linkedin.ts';
import { mailchimp } from './mailchimp.ts';
import { microsoft } from './microsoft.ts';
import { miro } from './miro.ts';
import { monday } from './monday.ts';
import { netsuite } from './netsuite.ts';
import { notion } from './notion.ts';
import { oidc } from './oidc.ts';
import { okta } from './okta.ts';
import { paypal } from './paypal.ts';
import { pinterest } from './pinterest.ts';
import { pipedrive } from './pipedrive.ts';
import { quickbooks } from './quickbooks.ts';
import { reddit } from './reddit.ts';
import { ringcentral } from './ringcentral.ts';
import { sage } from './sage.ts';
import { salesforce } from './salesforce.ts';
import { salesforceJwt } from './salesforce-jwt.ts';
import { servicenow } from './servicenow.ts';
import { shopify } from './shopify.ts';
import { slack } from './slack.ts';
import { slackUser } from './slack-user.ts';
import { snowflake } from './snowflake.ts';
import { spotify } from './spotify.ts';
import { square } from './square.ts';
import { strava } from './strava.ts';
import { stripe } from './stripe.ts';
import { stripeApp } from './stripe-app.ts';
import { tiktok } from './tiktok.ts';
import { typeform } from './typeform.ts';
import { x } from './x.ts';
import { xero } from './xero.ts';
import { zendesk } from './zendesk.ts';
import { zoho } from './zoho.ts';
import { zoom } from './zoom.ts';
import { zoomS2s } from './zoom-s2s.ts';

/** Every entry, by id. Made by `npm run providers` from the files of this folder. */
export const catalogue: readonly Provider[] = [
  adobeIms,
  adobeImsS2s,
  airtable,
  amazonSpApi,
  asana,
  atlassian,
  auth0,
  bigcommerce,
  bitbucket,
  box,
  calendly,
  canva,
  clickup,
  discord,
  docusign,
  dropbox,
  ebay,
  exactOnline,
  facebook,
  figma,
  fitbit,
  github,
  githubAppInstallation,
  githubAppUser,
  gitlab,
  google,
  googleServiceAccount,
  gusto,
  halopsa,
  hubspot,
  instagram,
  intercom,
  linear,
  linkedin,
  mailchimp,
  microsoft,
  miro,
  monday,
  netsuite,
  notion,
  oidc,
  okta,
  paypal,
  pinterest,
  pipedrive,
  quickbooks,
  reddit,
  ringcentral,
  sage,
  salesforce,
  salesforceJwt,
  servicenow,
  shopify,
  slack,
  slackUser,
  snowflake,
  spotify,
  square,
  strava,
  stripe,
  stripeApp,
  tiktok,
  typeform,
  x,
  xero,
  zendesk,
  zoho,
  zoom,
  zoomS2s,
];
