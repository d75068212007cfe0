/* delivery reports and what mail systems write instead of them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mail/bounce.h"

#define ID "<n41.id.0@sa.example.jp>"

/* The mail that came back, as its header stands in a bounce. */
#define RETURNED(to)                                                                                         \
	"Return-Path: <bounce@sa.example.jp>\n"                                                              \
	"Received: from sa.example.jp (localhost [127.0.0.1])\n\tby mail.sa.example.jp with ESMTP id 1A2B; " \
	"Tue, 6 Oct 2026 "                                                                                   \
	"10:06:00 +0900\n"                                                                                   \
	"From: =?UTF-8?B?5LqL5YuZ5bGA?= <office@sa.example.jp>\n"                                            \
	"To: <" to ">\nSubject: =?UTF-8?B?44GK55+l44KJ44Gb?=\nDate: Tue, 6 Oct 2026 10:06:00 +0900\n"        \
	"Message-ID: " ID                                                                                    \
	"\nMIME-Version: 1.0\n\n自己宣言ID：49337119406\n使用を中止する場合は申込書をご提出ください。\n"

#define HEAD(from, subject)                                                                                  \
	"Return-Path: <>\nDelivered-To: office@sa.example.jp\nFrom: " from                                   \
	"\nTo: office@sa.example.jp\nSubject: " subject                                                      \
	"\nDate: Tue, 6 Oct 2026 13:10:00 +0900\nMIME-Version: 1.0\nContent-Type: text/plain; "              \
	"charset=UTF-8\n\n"

#define REPORT(text, fields)                                                                                 \
	"Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.jp\nTo: office@sa.example.jp\nSubject: "          \
	"Undelivered Mail "                                                                                  \
	"Returned to Sender\nMIME-Version: 1.0\nContent-Type: multipart/report; "                            \
	"report-type=delivery-status;\n boundary=\"b\"\n\n"                                                  \
	"--b\nContent-Type: text/plain; charset=UTF-8\n\n" text                                              \
	"\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mail.example.jp\n\n" fields     \
	"\n--b\nContent-Type: text/rfc822-headers\n\nFrom: office@sa.example.jp\nTo: "                       \
	"<taro@example.co.jp>\nMessage-ID: " ID "\n\n--b--\n"

struct row {
	const char *name, *mail;
	const char *recipients; /* blanks between; NULL: no bounce */
	const char *action, *status;
	enum bounce_class class_;
	const char *message_id;
};

static const struct row rows[] = {
	/* ---- RFC 3464 ---- */
	{"one recipient",
		REPORT("Sorry.\n",
			"Final-Recipient: rfc822; Taro@Example.co.jp\nAction: failed\nStatus: 5.1.1\n"
			"Diagnostic-Code: smtp; 550 5.1.1 <taro@example.co.jp>: User unknown\n"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"the address it was sent to, not the one it ended at",
		REPORT("Sorry.\n",
			"Original-Recipient: rfc822;taro+2Bx@example.co.jp\nFinal-Recipient: rfc822; "
			"t.sato@inner.example.co.jp\n"
			"Action: failed\nStatus: 5.2.2\nRemote-MTA: dns; mx.example.co.jp\n"
			"Diagnostic-Code: smtp; 552 5.2.2 Over quota\n"),
		"taro+x@example.co.jp", "failed", "5.2.2", BOUNCE_FULL, ID},
	{"several recipients, the first was delivered",
		REPORT("Sorry.\n",
			"Final-Recipient: rfc822; a@example.co.jp\nAction: relayed\nStatus: 2.0.0\n\n"
			"Final-Recipient: rfc822; b@example.co.jp\nAction: failed\nStatus: 5.4.4\n"
			"Diagnostic-Code: X-Postfix; Host or domain name not found. Name service "
			"error\n"),
		"a@example.co.jp b@example.co.jp", "failed", "5.4.4", BOUNCE_HARD, ID},
	{"delayed",
		REPORT("THIS IS A WARNING ONLY.\n",
			"Final-Recipient: rfc822; taro@example.co.jp\nAction: delayed\nStatus: "
			"4.4.1\n"
			"Diagnostic-Code: smtp; connect to mx[192.0.2.1]:25: Connection timed "
			"out\nWill-Retry-Until: x\n"),
		"taro@example.co.jp", "delayed", "4.4.1", BOUNCE_SOFT, ID},
	{"given up after trouble on the way is not unknown user",
		REPORT("x\n", "Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 4.1.1\n"
			      "Diagnostic-Code: smtp; 450 4.1.1 <taro@example.co.jp>: Recipient address "
			      "rejected: User unknown\n"),
		"taro@example.co.jp", "failed", "4.1.1", BOUNCE_SOFT, ID},
	{"delivered",
		REPORT("x\n", "Final-Recipient: rfc822; taro@example.co.jp\nAction: "
			      "delivered\nStatus: 2.1.5\n"),
		"taro@example.co.jp", "delivered", "2.1.5", BOUNCE_NONE, ID},
	{"policy under the code of an unknown user",
		REPORT("x\n", "Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 5.1.1\n"
			      "Diagnostic-Code: smtp; 550 5.1.1 Client host [192.0.2.9] blocked using "
			      "zen.spamhaus.org\n"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_POLICY, ID},
	{"content",
		REPORT("x\n", "Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 5.0.0\n"
			      "Diagnostic-Code: smtp; 552-5.7.0 This message was blocked because its "
			      "content presents a "
			      "potential\n 552 5.7.0 security issue. virus\n"),
		"taro@example.co.jp", "failed", "5.7.0", BOUNCE_CONTENT, ID},
	{"a queue gave up, but the answer was clear",
		REPORT("x\n",
			"Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 4.0.0\n"
			"Diagnostic-Code: smtp; host mx.example.co.jp[192.0.2.7] refused to talk to me: "
			"554 Blocked, see our block list\n"),
		"taro@example.co.jp", "failed", "4.0.0", BOUNCE_POLICY, ID},
	{"a domain without mail under a status of trouble",
		REPORT("x\n", "Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 4.0.0\n"
			      "Diagnostic-Code: smtp; DNS Error: returned Null MX\n"),
		"taro@example.co.jp", "failed", "4.0.0", BOUNCE_HARD, ID},
	{"a queue gave up after an answer for now",
		REPORT("x\n", "Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 4.0.0\n"
			      "Diagnostic-Code: smtp; host mx.example.co.jp[192.0.2.7] said: 450 User "
			      "unknown\n"),
		"taro@example.co.jp", "failed", "4.0.0", BOUNCE_SOFT, ID},
	{"the final address is the one the mail was sent to",
		REPORT("x\n", "Original-Recipient: rfc822;taro@hub.example.net\n"
			      "Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 5.1.1\n"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"recipients without an empty line between",
		REPORT("x\n", "Final-Recipient: rfc822; a@example.co.jp\nOriginal-Recipient: "
			      "rfc822;a@example.co.jp\nAction: failed\nStatus: 5.2.2\n"
			      "Final-Recipient: rfc822; b@example.co.jp\nOriginal-Recipient: "
			      "rfc822;b@example.co.jp\nAction: failed\nStatus: 5.1.1\n"),
		"a@example.co.jp b@example.co.jp", "failed", "5.2.2", BOUNCE_FULL, ID},
	{"the words of the mail system above its code that says nothing",
		REPORT("   ----- Transcript of session follows -----\nlocal delivery: unknown user: taro\n"
		       "554 <taro@example.co.jp>... Service unavailable\n",
			"Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 5.5.0\n"),
		"taro@example.co.jp", "failed", "5.5.0", BOUNCE_HARD, ID},
	{"a gateway passes on the bounce whole and names nobody itself",
		"Return-Path: <>\nFrom: MAILER-DAEMON@gate.example.jp\nTo: office@sa.example.jp\nSubject: "
		"Returned mail: User unknown\nMIME-Version: 1.0\nContent-Type: multipart/mixed; "
		"boundary=g\n\n--g\n\nThe following addresses had delivery errors.\n--g\n"
		"Content-Type: message/rfc822\n\n"
		"From: MAILER-DAEMON@in.example.jp\nTo: office@sa.example.jp\nMIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=h\n\n"
		"--h\n\nSorry.\n--h\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
		"Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 5.1.1\n\n--h--\n\n"
		"--g--\n",
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ""},
	{"an old sendmail with several recipients",
		HEAD("MAILER-DAEMON@mail.example.jp",
			"Returned mail: User unknown") "   ----- Transcript of session follows -----\n"
						       ">>> DATA\n<<< 550 No.\n"
						       "554 <a@example.co.jp>... Remote protocol error\n"
						       "550 <b@example.net>... 550 Host unknown\n"
						       ">>> RCPT To:<c@example.org>\n"
						       "<<< 550 No such user here.\n"
						       "550 <c@example.org>... User unknown\n\n"
						       "   ----- Unsent message follows -----\n" RETURNED(
							       "a@example.co.jp"),
		"a@example.co.jp b@example.net c@example.org", "failed", "", BOUNCE_HARD, ID},
	{"a summary of the mail is not its header",
		HEAD("postmaster@mail.example.jp",
			"Undeliverable Mail") "To: office@sa.example.jp\n"
					      "Date: Tuesday\n"
					      "Subject: Undeliverable Mail\n\n"
					      "undeliverable to taro@example.co.jp\n"
					      "550 No such user\n\n"
					      "Original message follows.\n\n" RETURNED("taro@example.co.jp"),
		"taro@example.co.jp", "failed", "", BOUNCE_HARD, ID},
	{"the address of ours behind an alias, told in the next line",
		HEAD("MAILER-DAEMON@mail.example.jp",
			"Returned mail: Too many hops") "   ----- The following addresses had permanent "
							"fatal errors "
							"-----\nt.sato@inner.example.co.jp\n"
							"    (expanded from: taro@example.co.jp)\n\n"
							"554 Too many hops 26 (25 max)\n\n" RETURNED(
								"x@example.net"),
		"taro@example.co.jp", "failed", "", BOUNCE_SOFT, ID},
	{"Exchange with a list of recipients above the one",
		HEAD("System Administrator <postmaster@example.co.jp>",
			"Undeliverable: x") "Your message\n\n  To:      list@example.net\n  Subject: x\n\n"
					    "did not reach the following recipient(s):\n\n"
					    "taro@example.co.jp on Tue, 6 Oct 2026 10:06:10 +0900\n"
					    "    The recipient name is not recognized\n\n" RETURNED(
						    "list@example.net"),
		"taro@example.co.jp", "failed", "", BOUNCE_HARD, ID},
	{"attempts are counted before the recipient",
		HEAD("postmaster@mail.example.jp",
			"Undeliverable Mail") "Delivery failed 20 attempts: taro@example.co.jp\n\n"
					      "Original message follows.\n\n" RETURNED("x@example.net"),
		"taro@example.co.jp", "failed", "", BOUNCE_SOFT, ID},
	{"a recipient in quotes",
		HEAD("Mail Delivery System <mailer-daemon@mail.example.jp>",
			"Mail delivery failure") "A message, addressed to 'taro@example.co.jp', failed: no "
						 "such user.\n\n" RETURNED("x@example.net"),
		"taro@example.co.jp", "failed", "", BOUNCE_HARD, ID},
	{"a mailbox that nobody is: postmaster",
		HEAD("postmaster@example.ne.jp",
			"Returned mail") "----- The following addresses had delivery problems -----\n"
					 "postmaster@inner.example.co.jp\n\n"
					 "The mailbox is full.\n\n" RETURNED(
						 "postmaster@inner.example.co.jp"),
		"postmaster@inner.example.co.jp", "failed", "", BOUNCE_FULL, ID},
	{"nothing says why",
		REPORT("x\n", "Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: 5.0.0\n"
			      "Diagnostic-Code: smtp; 554 transaction failed\n"),
		"taro@example.co.jp", "failed", "5.0.0", BOUNCE_UNDECIDED, ID},
	{"the advice to people lists every cause",
		REPORT("The mailbox may be full, or the message looks like spam.\n",
			"Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: "
			"5.1.10\n"),
		"taro@example.co.jp", "failed", "5.1.10", BOUNCE_HARD, ID},
	{"a carrier's address with two dots",
		REPORT("x\n", "Final-Recipient: rfc822; \"taro..x.\"@docomo.ne.jp\nAction: "
			      "failed\nStatus: 5.0.0\n"
			      "Diagnostic-Code: smtp; 550 Unknown user taro..x.@docomo.ne.jp\n"),
		"taro..x.@docomo.ne.jp", "failed", "5.0.0", BOUNCE_HARD, ID},
	{"Exchange Online refuses unknown recipients at its edge",
		REPORT("x\n", "Final-Recipient: rfc822;taro@example.co.jp\nAction: failed\nStatus: "
			      "5.4.1\nDiagnostic-Code: smtp;550 "
			      "5.4.1 Recipient address rejected: Access denied. AS(201806281)\n"),
		"taro@example.co.jp", "failed", "5.4.1", BOUNCE_HARD, ID},
	{"a report that was flattened into the text",
		HEAD("postmaster@example.co.jp",
			"Delivery Status Notification (Failure)") "Delivery "
								  "failed.\n\nReporting-MTA: dns; "
								  "mx\n\n"
								  "Final-Recipient: "
								  "rfc822;taro@example.co.jp\nAction:"
								  " failed\nStatus: "
								  "5.1.1\n\n" RETURNED("taro@example.co.jp"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"RFC 6533, in base64",
		"From: postmaster@example.jp\nTo: office@sa.example.jp\nSubject: x\nMIME-Version: "
		"1.0\nContent-Type: multipart/report; report-type=delivery-status; "
		"boundary=b\n\n--b\n\nx\n--b\nContent-Type: message/global-delivery-status\n"
		"Content-Transfer-Encoding: "
		"base64\n\nUmVwb3J0aW5nLU1UQTogZG5zOyB4DQoNCkZpbmFsLVJlY2lwaWVudDogdXRmLTg7IHRhcm9AZXhhbXBsZS"
		"5jby5qcA0KQWN0aW9uOiBmYWlsZWQNClN0YXR1czogNS4xLjENCg==\n--b\n"
		"Content-Type: message/global-headers\n\nMessage-ID: " ID "\n\n--b--\n",
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"a report whose server writes of stopping",
		REPORT("<taro@example.co.jp>: host mx.example.co.jp said: 550 5.1.1 User unknown. "
		       "使用を中止したい場合は管理者へ\n",
			"Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: "
			"5.1.1\n"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"a report that carries words of a form",
		REPORT("自己宣言ID：49337119406\n事業者名：見本商店\n使用中止日：2026年11月1日\n",
			"Final-Recipient: rfc822; taro@example.co.jp\nAction: failed\nStatus: "
			"5.1.1\n"),
		NULL, "", "", BOUNCE_NONE, ""},
	/* ---- programs ---- */
	{"qmail",
		HEAD("MAILER-DAEMON@example.co.jp",
			"failure notice") "Hi. This is the qmail-send program at example.co.jp.\nI'm "
					  "afraid I wasn't able to deliver your message to the "
					  "following addresses.\nThis is a permanent error; I've "
					  "given up. Sorry it didn't work "
					  "out.\n\n<taro@example.co.jp>:\n"
					  "Sorry, no mailbox here by that name. (#5.1.1)\n\n--- "
					  "Below this line is a copy of the message.\n\n" RETURNED(
						  "taro@example.co.jp"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"qmail after a week, two recipients",
		HEAD("MAILER-DAEMON@example.co.jp",
			"failure notice") "Hi. This is the qmail-send program at "
					  "example.co.jp.\n\n<a@example.co.jp>:\n"
					  "192.0.2.5 does not like recipient.\nRemote host said: 452 "
					  "4.2.2 Mailbox full\nI'm not going to try again; this "
					  "message has been in the "
					  "queue too long.\n\n<b@example.co.jp>:\n192.0.2.5 "
					  "failed.\n\n--- Below this line is a copy of the "
					  "message.\n\n" RETURNED("a@example.co.jp"),
		"a@example.co.jp b@example.co.jp", "failed", "4.2.2", BOUNCE_FULL, ID},
	{"Postfix without report",
		HEAD("MAILER-DAEMON@mail.example.jp (Mail Delivery System)",
			"Undelivered Mail Returned to Sender") "This is the mail system at host "
							       "mail.example.jp.\n\n<taro@example.co."
							       "jp>: host "
							       "mx.example.co.jp[192.0.2.5] said: "
							       "550 5.1.1\n    <taro@example.co.jp>: "
							       "Recipient address rejected: User "
							       "unknown in\n    local recipient "
							       "table (in reply to RCPT TO "
							       "command)\n\n" RETURNED("taro@example.co.jp"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"Postfix, an alias",
		HEAD("MAILER-DAEMON@mail.example.jp",
			"Undelivered Mail Returned to Sender") "This is the mail system at host "
							       "mail.example.jp.\n\n<t.sato@inner."
							       "example.co.jp> "
							       "(expanded from "
							       "<taro@example.co.jp>): unknown "
							       "user:\n    \"t.sato\"\n\n" RETURNED(
								       "taro@example.co.jp"),
		"taro@example.co.jp", "failed", "", BOUNCE_HARD, ID},
	{"sendmail",
		HEAD("Mail Delivery Subsystem <MAILER-DAEMON@mx.example.co.jp>",
			"Returned mail: see transcript for details") "The original message was "
								     "received at Tue, 6 Oct 2026 "
								     "10:06:00 +0900\nfrom "
								     "mail.sa.example.jp "
								     "[192.0.2.1]\n\n   ----- The "
								     "following addresses "
								     "had permanent fatal errors "
								     "-----\n<taro@example.co.jp>\n  "
								     "  (reason: 550 5.1.1 "
								     "<taro@example.co.jp>... User "
								     "unknown)\n\n   ----- "
								     "Transcript of session follows "
								     "-----\n... while "
								     "talking to "
								     "mx.example.co.jp.:\n>>> "
								     "DATA\n<<< 550 5.1.1 "
								     "<taro@example.co.jp>... User "
								     "unknown\n550 5.1.1 "
								     "<taro@example.co.jp>... User "
								     "unknown\n<<< 503 5.0.0 Need "
								     "RCPT (recipient)\n\n"
								     "   ----- Original message "
								     "follows -----\n\n" RETURNED(
									     "taro@example.co.jp"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"sendmail, not yet",
		HEAD("Mail Delivery Subsystem <MAILER-DAEMON@mx.example.co.jp>",
			"Warning: could not send message for past 4 hours") "    "
									    "************************"
									    "**********************"
									    "\n    **      THIS IS A "
									    "WARNING MESSAGE ONLY    "
									    "  **\n    **  YOU DO "
									    "NOT NEED TO "
									    "RESEND YOUR MESSAGE  "
									    "**\n    "
									    "************************"
									    "**********************"
									    "\n\n   ----- The "
									    "following addresses had "
									    "transient non-fatal "
									    "errors "
									    "-----\n<taro@example.co."
									    "jp>\n\n   ----- "
									    "Transcript of session "
									    "follows -----\n451 "
									    "<taro@example.co.jp>: "
									    "mx.example.co.jp: Name "
									    "server timeout\nMessage "
									    "could not be delivered "
									    "for 4 "
									    "hours\n\n" RETURNED(
										    "taro@example.co."
										    "jp"),
		"taro@example.co.jp", "delayed", "", BOUNCE_SOFT, ID},
	{"Exim",
		"Return-Path: <>\nX-Failed-Recipients: taro@example.co.jp\nAuto-Submitted: "
		"auto-replied\nFrom: Mail Delivery System <Mailer-Daemon@example.jp>\nTo: "
		"office@sa.example.jp\nSubject: Mail delivery "
		"failed: returning message to sender\n\nThis message was created automatically by "
		"mail delivery software.\n\nA message that you sent could not be delivered to one or "
		"more of its\nrecipients. This is a "
		"permanent error. The following address(es) failed:\n\n  taro@example.co.jp\n    "
		"host mx.example.co.jp [192.0.2.5]\n    SMTP error from remote mail server after "
		"RCPT TO:<taro@example.co.jp>:\n    "
		"550 5.1.1 No such user here\n\n------ This is a copy of the message, including all "
		"the headers. ------\n\n" RETURNED("taro@example.co.jp"),
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"Exim, not yet",
		HEAD("Mail Delivery System <Mailer-Daemon@example.jp>",
			"Warning: message 1rAbCd-0001 delayed 24 hours") "This message was created "
									 "automatically by mail "
									 "delivery software.\nA "
									 "message that you sent has "
									 "not yet been delivered to "
									 "one or more of "
									 "its\nrecipients after more "
									 "than 24 hours on the queue "
									 "on example.jp.\n\nThe "
									 "message identifier is:     "
									 "1rAbCd-0001\n\nThe address "
									 "to which the message has "
									 "not yet "
									 "been delivered is:\n\n  "
									 "taro@example.co.jp\n    "
									 "Delay reason: mailbox is "
									 "full\n\nNo action is "
									 "required on your part. "
									 "Delivery attempts will "
									 "continue for\nsome time.\n",
		"taro@example.co.jp", "delayed", "", BOUNCE_FULL, ""},
	{"Courier",
		HEAD("\"Courier mail server at example.co.jp\" <@>",
			"NOTICE: mail delivery status.") "This is a delivery status notification "
							 "from example.co.jp,\nrunning the Courier "
							 "mail server, version 0.65.\n\nThe original "
							 "message "
							 "was received on Tue, 6 Oct "
							 "2026\n\n-----------------------------------"
							 "----------------------------------------"
							 "\n\n                           "
							 "UNDELIVERABLE MAIL\n\nYour message to the "
							 "following recipients cannot be "
							 "delivered:\n\n<taro@example.co.jp>:\n    "
							 "mx.example.co.jp [192.0.2.5]:\n>>> RCPT "
							 "TO:<taro@example.co.jp>\n<<< 550 5.7.1 "
							 "Relaying denied\n\n" RETURNED("taro@example.co.jp"),
		"taro@example.co.jp", "failed", "5.7.1", BOUNCE_POLICY, ID},
	{"Exchange of old",
		HEAD("System Administrator <postmaster@example.co.jp>",
			"Undeliverable: notice") "Your message\n\n  To:      taro@example.co.jp\n  "
						 "Subject: notice\n  Sent:    Tue, 6 Oct 2026 "
						 "10:06:00 +0900\n\ndid not reach the following "
						 "recipient(s):\n\ntaro@example.co.jp on Tue, 6 Oct "
						 "2026 10:07:00 +0900\n    The e-mail account does "
						 "not exist at the organization this message was "
						 "sent to.  Check the e-mail address, or contact the "
						 "recipient "
						 "directly to find out the correct address.\n        "
						 "<mail.example.co.jp #5.1.1>\n",
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ""},
	{"Exchange, in Japanese, the ID in a field only",
		"Return-Path: <>\nFrom: Microsoft Outlook <postmaster@example.co.jp>\nTo: "
		"office@sa.example.jp\nSubject: 配信不能: 【SECURITY "
		"ACTION】お知らせ\nIn-Reply-To: " ID "\nContent-Type: text/plain; "
		"charset=UTF-8\n\n次の受信者またはグループにメッセージを配信できませんでした:"
		"\n\n佐藤 太郎 (taro@example.co.jp)\n入力した電子メール "
		"アドレスは見つかりませんでした。受信者の電子メール "
		"アドレスを確認して、メッセージを再送信してください。問題が解決しない場合は、ヘルプデ"
		"スクに連絡してください。\n\n\n"
		"管理者用の診断情報:\n\n生成元サーバー: "
		"EX01.example.co.jp\n\ntaro@example.co.jp\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; "
		"not found ##\n\n元のメッセージ ヘッダー:\n\nReceived: from x by y\n",
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"Exchange, in Japanese, full",
		HEAD("Microsoft Outlook <postmaster@example.co.jp>",
			"配信不能: お知らせ") "次の受信者またはグループに配信できませんでした。\n\nta"
					      "ro@example.co."
					      "jp\n受信者のメールボックスがいっぱいで、現在メッセージ"
					      "を受け付けることができません。しばらくしてからメッセー"
					      "ジを再送信してください。\n",
		"taro@example.co.jp", "failed", "", BOUNCE_FULL, ""},
	{"Notes",
		HEAD("Mail Router <MAILER-DAEMON@example.co.jp>",
			"DELIVERY FAILURE: User taro (taro@example.co.jp) not listed in Domino "
			"Directory") "Your message\n\n  Subject: notice\n\nwas not delivered to:\n\n "
				     " taro@example.co.jp\n\nbecause:\n\n  User taro "
				     "(taro@example.co.jp) not listed in Domino Directory\n",
		"taro@example.co.jp", "failed", "", BOUNCE_HARD, ""},
	{"Notes, in Japanese",
		HEAD("Notes Router <postmaster@example.co.jp>",
			"配信エラー: ユーザーが見つかりません") "以下のメッセージ\n\n  件名: "
								"お知らせ\n\nは次の宛先に配信されませ"
								"んでした:\n\n  "
								"taro@example.co.jp\n\n理由:\n\n  "
								"ユーザー taro (taro@example.co.jp) "
								"はドミノディレクトリに存在しません"
								"\n",
		"taro@example.co.jp", "failed", "", BOUNCE_HARD, ""},
	{"Gmail",
		HEAD("Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
			"Delivery Status Notification (Failure)") "** Address not found **\n\nYour "
								  "message wasn't delivered to "
								  "taro@example.co.jp because the "
								  "address couldn't be found, or is "
								  "unable to receive mail.\n\nLearn "
								  "more here: "
								  "https://support.google.com/mail/"
								  "?p=NoSuchUser\n\nThe response "
								  "was:\n\n550 5.1.1 The email "
								  "account that you tried to reach "
								  "does not exist. Please try "
								  "double-checking the recipient's "
								  "email address\n\n\n----- Original "
								  "message -----\n\nX-Received: by "
								  "2002:a05 with SMTP id "
								  "x\nReturn-Path: "
								  "<bounce@sa.example.jp>\nMessage-"
								  "ID: " ID
								  "\nFrom: office@sa.example.jp\nTo: "
								  "taro@example.co.jp\n",
		"taro@example.co.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"Gmail, in Japanese",
		HEAD("Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
			"Delivery Status Notification (Failure)") "** アドレス不明 "
								  "**\n\ntaro@example.co.jp "
								  "にメールを配信できませんでした。ア"
								  "ドレスが見つからないか、メールの受"
								  "信ができない可能性があります。\n\n"
								  "詳しくはこちらをご覧ください: "
								  "https://support.google.com/mail/"
								  "?p=NoSuchUser\n",
		"taro@example.co.jp", "failed", "", BOUNCE_HARD, ""},
	{"Gmail, full, in Japanese",
		HEAD("Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
			"Delivery Status Notification (Failure)") "** 受信トレイの容量不足 "
								  "**\n\ntaro@example.co.jp "
								  "にメールを配信できませんでした。受"
								  "信トレイの容量がいっぱいになってい"
								  "るか、現在受信メールが多くなりすぎ"
								  "ています。\n\n"
								  "サーバーからの応答:\n552 5.2.2 "
								  "The email account that you tried "
								  "to reach is over quota.\n",
		"taro@example.co.jp", "failed", "5.2.2", BOUNCE_FULL, ""},
	{"Gmail, unsolicited",
		HEAD("Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
			"Delivery Status Notification (Failure)") "** Message blocked **\n\nYour "
								  "message to taro@example.co.jp has "
								  "been blocked. See technical "
								  "details below for more "
								  "information.\n\nThe response from "
								  "the remote server was:\n550-5.7.1 "
								  "[192.0.2.9] Our system has "
								  "detected that this message is "
								  "likely unsolicited mail. 550 "
								  "5.7.1 review it.\n",
		"taro@example.co.jp", "failed", "5.7.1", BOUNCE_CONTENT, ""},
	/* ---- Japanese carriers and providers ---- */
	{"docomo",
		HEAD("Mail Administrator <postmaster@docomo.ne.jp>",
			"Mail System Error - Returned Mail") "This Message was undeliverable due to "
							     "the following reason:\n\nThe following "
							     "destination addresses were unknown "
							     "(please check\nthe addresses "
							     "and re-mail the message):\n\nSMTP "
							     "<taro.sample@docomo.ne.jp>\n\nPlease "
							     "reply to Postmaster@docomo.ne.jp\nif "
							     "you feel this message to be in "
							     "error.\n\n" RETURNED(
								     "taro.sample@docomo.ne.jp"),
		"taro.sample@docomo.ne.jp", "failed", "", BOUNCE_HARD, ID},
	{"au",
		HEAD("Mail Administrator <postmaster@ezweb.ne.jp>",
			"Mail System Error - Returned Mail") "The user(s) account is "
							     "disabled.\n\n<taro@ezweb.ne.jp>: 550 "
							     "<taro@ezweb.ne.jp>: User "
							     "unknown\n\n" RETURNED("taro@ezweb.ne."
										    "jp"),
		"taro@ezweb.ne.jp", "failed", "", BOUNCE_HARD, ID},
	{"au, full",
		HEAD("Mail Administrator <Postmaster@ezweb.ne.jp>",
			"Mail System Error - Returned Mail") "The user(s) account is temporarily "
							     "over "
							     "quota.\n\n<taro@ezweb.ne.jp>"
							     "\n\n" RETURNED("taro@ezweb.ne.jp"),
		"taro@ezweb.ne.jp", "failed", "", BOUNCE_FULL, ID},
	{"SoftBank",
		HEAD("Mail Delivery Subsystem <MAILER-DAEMON@softbank.ne.jp>",
			"Delivery failure (taro@softbank.ne.jp)") "Your message has encountered "
								  "delivery problems\nto the "
								  "following "
								  "recipient(s):\n\ntaro@softbank.ne."
								  "jp\n(Was addressed to "
								  "taro@softbank.ne.jp)\nDelivery "
								  "failed\n550 Invalid recipient: "
								  "<taro@softbank.ne.jp>\n",
		"taro@softbank.ne.jp", "failed", "", BOUNCE_HARD, ""},
	{"Yahoo! JAPAN",
		HEAD("MAILER-DAEMON@yahoo.co.jp",
			"failure delivery") "Message from yahoo.co.jp.\nUnable to deliver message to "
					    "the following address(es).\n\n<taro@yahoo.co.jp>:\nThis "
					    "user doesn't have a yahoo.co.jp account "
					    "(taro@yahoo.co.jp) [-5]\n\n--- Original "
					    "message follows.\n\n" RETURNED("taro@yahoo.co.jp"),
		"taro@yahoo.co.jp", "failed", "", BOUNCE_HARD, ID},
	{"Yahoo! JAPAN, closed",
		HEAD("MAILER-DAEMON@yahoo.co.jp",
			"failure notice") "Sorry, we were unable to deliver your message to the "
					  "following address.\n\n<taro@yahoo.co.jp>:\n554: delivery "
					  "error: dd Sorry your message to taro@yahoo.co.jp cannot "
					  "be delivered. This account has been disabled or "
					  "discontinued [#102].\n",
		"taro@yahoo.co.jp", "failed", "", BOUNCE_HARD, ""},
	{"So-net",
		HEAD("Mail Delivery Subsystem <MAILER-DAEMON@so-net.ne.jp>",
			"Returned mail: User unknown") "メールをお届けできませんでした。\n下記の宛先"
						       "のメールアドレスは存在しません。\n\n  "
						       "taro@so-net.ne.jp\n\n-- ご不明な点は "
						       "support@so-net.ne.jp "
						       "まで。\n\n以下は送信されたメールのヘッダです"
						       "。\n" RETURNED("taro@so-net.ne.jp"),
		"taro@so-net.ne.jp", "failed", "", BOUNCE_HARD, ID},
	{"Nifty",
		HEAD("＠ｎｉｆｔｙメール <postmaster@nifty.com>",
			"メールをお届けできませんでした") "お客様が送信されたメールは、以下の理由によ"
							  "り宛先にお届けすることができませんでした。"
							  "\n\n宛先：taro@nifty."
							  "com\n理由：受信者のメールボックスの容量が"
							  "超過しています。\n",
		"taro@nifty.com", "failed", "", BOUNCE_FULL, ""},
	{"OCN",
		HEAD("Mail Delivery System <MAILER-DAEMON@ocn.ad.jp>",
			"Delivery Failure") "メールを送信できませんでした。\n\nメールアドレス "
					    "<taro@ocn.ne.jp> が正しいかご確認ください。\n\n   ----- "
					    "The following addresses had delivery problems "
					    "-----\n<taro@ocn.ne.jp>   (reason: 550 "
					    "5.1.1 <taro@ocn.ne.jp>... User unknown)\n\n" RETURNED(
						    "taro@ocn.ne.jp"),
		"taro@ocn.ne.jp", "failed", "5.1.1", BOUNCE_HARD, ID},
	{"Biglobe",
		HEAD("BIGLOBE Mail System <MAILER-DAEMON@biglobe.ne.jp>",
			"Undeliverable message") "   ----- The following addresses had delivery "
						 "problems -----\n<taro@biglobe.ne.jp>   (User not "
						 "found)\n\n   ----- Non-delivered information "
						 "-----\n"
						 "The number of messages in recipient's mailbox "
						 "exceeded the local limit.\n",
		"taro@biglobe.ne.jp", "failed", "", BOUNCE_FULL, ""},
	{"a provider's delay",
		HEAD("postmaster@example.ne.jp",
			"配信遅延のお知らせ") "このメールは自動的に作成されました。\n以下の宛先への配"
					      "信が遅れています。\n\n  "
					      "taro@example.co."
					      "jp\n\n引き続き配信を試みますので、再送する必要はありま"
					      "せん。\n",
		"taro@example.co.jp", "delayed", "", BOUNCE_SOFT, ""},
	{"refused by the receiver's filter",
		HEAD("postmaster@example.ne.jp",
			"メール配信エラー") "下記アドレス宛のメールは、受信者の設定により受信拒否され"
					    "ました。\n<taro@example.ne.jp>\n",
		"taro@example.ne.jp", "failed", "", BOUNCE_POLICY, ""},
	{"no address in the text",
		HEAD("postmaster@example.ne.jp",
			"不達通知") "宛先が見つかりませんでした。\n\n----- 元のメッセージ "
				    "-----\nFrom: office@sa.example.jp\nTo: "
				    "taro@example.ne.jp\nMessage-ID: " ID "\nSubject: x\n",
		"taro@example.ne.jp", "failed", "", BOUNCE_HARD, ID},
	{"the returned mail behind quote marks",
		HEAD("postmaster@example.ne.jp",
			"Undeliverable") "User unknown: taro@example.ne.jp\n\n> From: "
					 "office@sa.example.jp\n> To: taro@example.ne.jp\n> "
					 "Message-ID:\n>  " ID "\n> Subject: x\n",
		"taro@example.ne.jp", "failed", "", BOUNCE_HARD, ID},
	{"no known subject, no known sender",
		HEAD("mail@example.ne.jp",
			"Re: notice") "下記の宛先にメールを配信できませんでした。\n\ntaro@example.ne."
				      "jp\n\n554 5.3.4 Message too large\n",
		"taro@example.ne.jp", "failed", "5.3.4", BOUNCE_CONTENT, ""},
	{"lines ended by CR LF, raw ISO-2022-JP",
		"Return-Path: <>\r\nFrom: postmaster@example.ne.jp\r\nTo: "
		"office@sa.example.jp\r\nSubject: "
		"error\r\n\r\n\033$BG[?.$G$-$^$;$s$G$7$?!#\033(B\r\n\r\n<taro@example.ne.jp>"
		"\r\n\r\nuser unknown\r\n",
		"taro@example.ne.jp", "failed", "", BOUNCE_HARD, ""},
	/* ---- none ---- */
	{"a person shows a bounce",
		"Return-Path: <taro@example.co.jp>\nFrom: taro@example.co.jp\nTo: "
		"office@sa.example.jp\nSubject: Fw: Undelivered Mail Returned to "
		"Sender\n\nこのようなエラーが返ってきます。\n\n<hanako@example.co.jp>: 550 User "
		"unknown\n",
		NULL, "", "", BOUNCE_NONE, ""},
	{"an absence from the null sender",
		HEAD("taro@example.co.jp", "自動返信: お知らせ") "ただいま不在にしております。お急ぎ"
								 "の方は hanako@example.co.jp へ。\n",
		NULL, "", "", BOUNCE_NONE, ""},
	{"an automatic answer that says the address is no longer used",
		HEAD("taro@example.co.jp",
			"【自動応答】メールアドレス変更のお知らせ") "このアドレスは使用されておりませ"
								    "ん。メールは配信されません。新し"
								    "い宛先: jiro@example.co.jp\n",
		NULL, "", "", BOUNCE_NONE, ""},
	{"a receipt from the null sender that wants no answer",
		HEAD("shop@example.co.jp",
			"Re: お知らせ") "お問い合わせを受け付けました。\n※送信専用のため、ご返信いただいても"
					"配信されません。自動返信メールです。\n\ninfo@example.co.jp\n",
		NULL, "", "", BOUNCE_NONE, ""},
	{"an absence known by its field",
		"Return-Path: <>\nFrom: taro@example.co.jp\nTo: office@sa.example.jp\nSubject: Re: "
		"notice\nX-Autoreply: yes\n\nこのメールは配信されません。\n<hanako@example.co.jp>\n",
		NULL, "", "", BOUNCE_NONE, ""},
	{"a read receipt",
		"Return-Path: <>\nFrom: taro@example.co.jp\nTo: office@sa.example.jp\nSubject: "
		"開封済み: お知らせ\nMIME-Version: 1.0\nContent-Type: multipart/report; "
		"report-type=disposition-notification; boundary=b\n\n"
		"--b\nContent-Type: text/plain\n\nread\n--b\nContent-Type: "
		"message/disposition-notification\n\nFinal-Recipient: "
		"rfc822;taro@example.co.jp\nOriginal-Message-ID: " ID
		"\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n",
		NULL, "", "", BOUNCE_NONE, ""},
	{"an empty mail from the null sender", HEAD("x@example.co.jp", "hello") "\n", NULL, "", "",
		BOUNCE_NONE, ""},
	{"named in X-Original-To by the program that gave up",
		"X-Original-To: <taro@example.co.jp>\nFrom: MAILER-DAEMON <>\nTo: "
		"office@sa.example.jp\nSubject: "
		"Mail delivery failed\n\nThis is the DragonFly Mail Agent v0.13 at df.example.jp.\n\nThere "
		"was an "
		"error delivering your mail to <taro@example.co.jp>.\n\nCould not deliver for the last "
		"432000 "
		"seconds. Giving up.\n\nMessage headers follow.\n\nFrom: office@sa.example.jp\nTo: "
		"taro@example.co.jp\nSubject: x\nMessage-ID: " ID "\n",
		"taro@example.co.jp", "failed", "", BOUNCE_SOFT, ID},
	{"an answer to the sender's name, whatever its words",
		HEAD("Mailer-Daemon@mx.example.jp",
			"Mail delivery failed: returning message to sender") "A message that you sent could "
									     "not be delivered. The "
									     "following address(es) "
									     "failed:\n\n  "
									     "taro@example.co.jp\n    SMTP "
									     "error from remote mail server "
									     "after MAIL "
									     "FROM:<office@sa.example.jp> "
									     "SIZE=1024:\n    host "
									     "mx.example.co.jp [192.0.2.1]: "
									     "550 no such domain\n",
		"taro@example.co.jp", "failed", "", BOUNCE_POLICY, ""},
	{"a plain one with a Word file",
		"Return-Path: <>\nFrom: MAILER-DAEMON@example.jp\nTo: office@sa.example.jp\nSubject: "
		"failure notice\nMIME-Version: 1.0\nContent-Type: multipart/mixed; "
		"boundary=b\n\n--b\nContent-Type: text/plain\n\n<taro@example.co.jp>:\nUser "
		"unknown\n--b\nContent-Type: application/msword; "
		"name=a.doc\nContent-Transfer-Encoding: base64\n\n0M8R4KGxGuEAAAAA\n--b--\n",
		NULL, "", "", BOUNCE_NONE, ""},
};

static void read_text(struct bounce *out, const char *mail, struct pool *pool)
{
	struct message *message = pool_alloc(pool, sizeof *message);
	struct err err = {0};
	if (message_read(message, mail, strlen(mail), &message_limits_default, pool, &err) != RC_OK)
		fail_msg("%s", err.text);
	bounce_read(out, message, pool);
}

static const char *joined(const struct bounce *bounce, struct pool *pool)
{
	const char *text = "";
	for (size_t i = 0; i < bounce->recipient_count; i++)
		text = pool_printf(pool, "%s%s%s", text, *text ? " " : "", bounce->recipient[i]);
	return text;
}

static void test_bounce__what_mail_systems_write(void **state)
{
	(void)state;
	int wrong = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		struct pool *pool = pool_new();
		struct bounce bounce;
		read_text(&bounce, row->mail, pool);
		const char *recipients = joined(&bounce, pool);
		if (bounce.is_bounce != (row->recipients != NULL) ||
			strcmp(recipients, row->recipients ? row->recipients : "") != 0 ||
			strcmp(bounce.action, row->action) != 0 || strcmp(bounce.status, row->status) != 0 ||
			bounce.class_ != row->class_ || strcmp(bounce.message_id, row->message_id) != 0 ||
			!*bounce.why) {
			print_error("%s: bounce %d, '%s', action '%s', status '%s', class %s, id '%s', why "
				    "'%s'\n",
				row->name, bounce.is_bounce, recipients, bounce.action, bounce.status,
				bounce_class_name(bounce.class_), bounce.message_id, bounce.why);
			wrong++;
		}
		pool_free(&pool);
	}
	assert_int_equal(wrong, 0);
}

/* What servers answer, as the Diagnostic-Code of a report whose status says nothing. */
static void test_bounce__answers_of_servers(void **state)
{
	(void)state;
	static const struct {
		const char *answer;
		enum bounce_class class_;
	} answers[] = {
		{"550 5.1.1 <t@example.jp>: inactive email address (in reply to RCPT TO command)",
			BOUNCE_HARD},
		{"554 5.7.1 <t@example.jp>: Recipient address rejected: user t not found", BOUNCE_HARD},
		{"550 5.2.1 The email account that you tried to reach is disabled.", BOUNCE_HARD},
		{"550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", BOUNCE_HARD},
		{"550 Unknown user t@docomo.ne.jp", BOUNCE_HARD},
		{"550 <t@ezweb.ne.jp>: User unknown", BOUNCE_HARD},
		{"550 Invalid recipient: <t@softbank.ne.jp>", BOUNCE_HARD},
		{"511 5.1.1 unknown address or alias: t@example.jp", BOUNCE_HARD},
		{"550 #5.1.0 Address rejected.", BOUNCE_HARD},
		{"556 5.1.10 <t@example.jp>: Recipient address rejected: Domain example.jp does not accept "
		 "mail (nullMX)",
			BOUNCE_HARD},
		{"550 5.1.2 Host or domain name not found. Name service error for name=example.jp type=A: "
		 "Host not found",
			BOUNCE_HARD},
		{"553 5.1.8 <x@sa.example.jp>: Sender address rejected: Domain not found", BOUNCE_POLICY},
		{"550 5.1.8 Access denied, bad outbound sender", BOUNCE_POLICY},
		{"550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Part of their network is "
		 "on our block list (S3150).",
			BOUNCE_POLICY},
		{"550-5.7.26 This mail has been blocked because the sender is unauthenticated.",
			BOUNCE_POLICY},
		{"550 5.7.25 The reverse DNS record of the sending address does not exist", BOUNCE_POLICY},
		{"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
			BOUNCE_POLICY},
		{"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", BOUNCE_POLICY},
		{"550 5.7.1 <t@example.jp>... Relaying denied", BOUNCE_POLICY},
		{"550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", BOUNCE_POLICY},
		{"550 Administrative prohibition", BOUNCE_POLICY},
		{"552-5.7.0 This message was blocked because its content presents a potential security "
		 "issue; the attachment is blocked",
			BOUNCE_CONTENT},
		{"554 5.7.1 The message was rejected because it contains prohibited virus or spam content",
			BOUNCE_CONTENT},
		{"550 5.7.1 Message identified as SPAM", BOUNCE_CONTENT},
		{"552 5.3.4 Message size exceeds fixed limit", BOUNCE_CONTENT},
		{"500 5.5.2 Line too long", BOUNCE_CONTENT},
		{"552 5.2.2 <t@example.jp>: Mailbox full", BOUNCE_FULL},
		{"452 4.2.2 The email account that you tried to reach is over quota.", BOUNCE_FULL},
		{"550 5.2.2 user has exceeded the mailbox size limit", BOUNCE_FULL},
		{"554 5.2.2 mailbox full; "
		 "STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
			BOUNCE_FULL},
		{"552 Requested mail action aborted: exceeded storage allocation", BOUNCE_FULL},
		{"452 4.3.1 Insufficient system storage", BOUNCE_SOFT},
		{"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints",
			BOUNCE_SOFT},
		{"450 4.2.0 <t@example.jp>: Recipient address rejected: Greylisted", BOUNCE_SOFT},
		{"450 4.1.1 <t@example.jp>: Recipient address rejected: unverified address: User unknown",
			BOUNCE_SOFT},
		{"connect to mx.example.jp[192.0.2.1]:25: Connection refused", BOUNCE_SOFT},
		{"550 5.4.300 Message expired -> 451 4.4.0", BOUNCE_SOFT},
		{"554 5.4.14 Hop count exceeded - possible mail loop ATTR34", BOUNCE_SOFT},
		{"554 5.0.0 transaction failed", BOUNCE_UNDECIDED},
		{"550 Rejected", BOUNCE_POLICY},
		{"550 5.0.0 invalid (in reply to MAIL FROM command)", BOUNCE_POLICY},
		{"550-5.2.1 The user you are trying to contact is receiving mail at a rate", BOUNCE_SOFT},
		{"550 5.7.26 The MAIL FROM domain has a policy against phishing: DMARC", BOUNCE_POLICY},
		{"554 5.7.0 Reject, id=0815-01 - SPAM", BOUNCE_CONTENT},
		{"554 message refused by rule, SpamSignature.7 (in reply to end of DATA command)",
			BOUNCE_CONTENT},
		{"550 5.0.0 Blacklisted URL in message", BOUNCE_CONTENT},
		{"554 Transaction failed: Duplicate header 'DKIM-Signature'.", BOUNCE_CONTENT},
		{"550 5.6.9 conversion", BOUNCE_CONTENT},
		{"550 5.7.6 failed", BOUNCE_POLICY},
		{"550-5.7.1 This message is likely suspicious due to the low reputation of the sending host",
			BOUNCE_POLICY},
		{"5.1.0 - Unknown address error 550-'5.7.1 <bounce@sa.example.jp>... Access denied' "
		 "(delivery attempts: 0)",
			BOUNCE_POLICY},
		{"5.1.0 - Unknown address error 550-'5.1.1 <t@example.jp>... User unknown' (delivery "
		 "attempts: 0)",
			BOUNCE_HARD},
		{"550 From: Domain is invalid", BOUNCE_POLICY},
		{"550 Protocol violation (in reply to RCPT TO command)", BOUNCE_POLICY},
		{"550 5.1.99 t@example.jp", BOUNCE_HARD},
		{"550 5.1.90 daily limit", BOUNCE_POLICY},
		{"541 5.4.1 Mail rejected by destination domain", BOUNCE_POLICY},
		{"554 5.4.1 mx.example.jp", BOUNCE_SOFT},
		{"local delivery: Lock failure on \"/var/mail/t.lock\"", BOUNCE_SOFT},
		{"551 <t@example.jp> is a deactivated mailbox (in reply to RCPT TO command)", BOUNCE_HARD},
		{"550 BAD_RECIPIENT", BOUNCE_HARD},
		{"Name service error for name=example.jp type=MX: Malformed name server reply", BOUNCE_SOFT},
		{"525 5.7.13 mailbox of t@example.jp", BOUNCE_HARD},
		{"550 5.5.0 The recipient account is blocked.", BOUNCE_HARD},
		{"554 5.7.1 <t@example.jp>: Recipient address rejected: Access denied", BOUNCE_HARD},
		{"554 The domain is not reachable. Please check the domain and try again", BOUNCE_HARD},
		{"an MX or SRV record indicated no SMTP service", BOUNCE_HARD},
		{"Name service error for domain example.jp: Host not found, try again", BOUNCE_SOFT},
		{"Name service error for name=example.jp type=MX: Malformed or unexpected name server "
		 "reply",
			BOUNCE_SOFT},
		{"554 Service currently unavailable", BOUNCE_SOFT},
		{"554 5.3.9 Recipient address rejected: trouble in the house", BOUNCE_HARD},
		{"554 5.3.0 Recipient address rejected: trouble in the house", BOUNCE_SOFT},
		{"", BOUNCE_UNDECIDED},
	};
	int wrong = 0;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct pool *pool = pool_new();
		struct bounce bounce;
		const char *mail = pool_printf(pool,
			"From: MAILER-DAEMON@x\nTo: o@sa.example.jp\nSubject: x\nMIME-Version: "
			"1.0\nContent-Type: multipart/report; boundary=b\n\n"
			"--b\n\nIncluded is the original message as an attachment. Sent through "
			"relay.example.jp.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: "
			"dns; x\n\nFinal-Recipient: rfc822; t@example.jp\nAction: failed\nStatus: "
			"5.0.0\nDiagnostic-Code: smtp; %s\n\n--b--\n",
			answers[i].answer);
		read_text(&bounce, mail, pool);
		if (bounce.class_ != answers[i].class_) {
			print_error("%s: %s, %s\n", answers[i].answer, bounce_class_name(bounce.class_),
				bounce.why);
			wrong++;
		}
		pool_free(&pool);
	}
	assert_int_equal(wrong, 0);
}

static void test_bounce__only_what_is_sure_is_permanent(void **state)
{
	(void)state;
	static const struct {
		enum bounce_class class_;
		bool permanent, known;
	} truths[] = {
		{BOUNCE_HARD, true, true},
		{BOUNCE_SOFT, false, true},
		{BOUNCE_FULL, false, true},
		{BOUNCE_POLICY, false, false},
		{BOUNCE_CONTENT, false, false},
		{BOUNCE_UNDECIDED, false, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t k = 0; k < sizeof truths / sizeof *truths; k++) {
			if (!rows[i].recipients || rows[i].class_ != truths[k].class_)
				continue;
			struct pool *pool = pool_new();
			struct bounce bounce;
			read_text(&bounce, rows[i].mail, pool);
			assert_int_equal(bounce.permanent, truths[k].permanent);
			assert_int_equal(bounce.permanent_known,
				truths[k].known || strcmp(rows[i].action, "delayed") == 0);
			pool_free(&pool);
		}
}

/* Cut anywhere, a bounce is read or refused, never worse. */
static void test_bounce__cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i += 5) {
		size_t len = strlen(rows[i].mail);
		for (size_t cut = 1; cut < len; cut += 37) {
			struct pool *pool = pool_new();
			struct message message;
			struct bounce bounce;
			struct err err = {0};
			if (message_read(&message, rows[i].mail, cut, &message_limits_default, pool, &err) ==
				RC_OK) {
				bounce_read(&bounce, &message, pool);
				assert_non_null(bounce.action);
				assert_true(bounce.recipient_count <= 3);
			}
			pool_free(&pool);
		}
	}
}

static void test_bounce__floods_are_bounded(void **state)
{
	(void)state;
	struct str mail = STR_INIT;
	str_addz(&mail, "Return-Path: <>\nFrom: MAILER-DAEMON@example.jp\nTo: office@sa.example.jp\nSubject: "
			"failure notice\n\n");
	for (int i = 0; i < 20000; i++)
		str_printf(&mail, "<user%d@example.co.jp>:\nmailbox mailbox mailbox 5.1.\n", i);
	struct pool *pool = pool_new();
	struct bounce bounce;
	read_text(&bounce, mail.s, pool);
	assert_true(bounce.is_bounce);
	assert_true(bounce.recipient_count <= 64);
	pool_free(&pool);
	str_free(&mail);
}

static void test_bounce__names(void **state)
{
	(void)state;
	for (enum bounce_class c = BOUNCE_NONE; c <= BOUNCE_UNDECIDED; c++)
		assert_non_null(bounce_class_name(c));
	assert_string_equal(bounce_class_name(BOUNCE_POLICY), "policy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounce__what_mail_systems_write),
		cmocka_unit_test(test_bounce__answers_of_servers),
		cmocka_unit_test(test_bounce__only_what_is_sure_is_permanent),
		cmocka_unit_test(test_bounce__cut_anywhere),
		cmocka_unit_test(test_bounce__floods_are_bounded),
		cmocka_unit_test(test_bounce__names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
