"""Texts of messages in English; the catalogues of `vetrina.web.i18n` have them in other languages."""

from __future__ import annotations

from dataclasses import dataclass

from vetrina.accounts.model import Purpose
from vetrina.accounts.notifications.actions import Notice
from vetrina.web.i18n import N_, NP_, say, say_as


@dataclass(frozen=True)
class Words:
    """One message: `link` is the text of its link, `sms` all that goes by SMS; {code} and {site} are filled in later."""

    subject: str
    lines: tuple[str, ...]
    sms: str
    link: str = ""
    after: tuple[str, ...] = ()

    def translated(self) -> Words:
        """Return the message in the current language, with nothing filled in yet."""
        return Words(
            say(self.subject) if self.subject else "",
            tuple(say(line) for line in self.lines),
            say(self.sms),
            say_as("link", self.link) if self.link else "",
            tuple(say(line) for line in self.after),
        )


_NOT_YOU = N_("If this was not you, you need not do anything: without the code nothing happens.")
_TEN = N_("The code is good for ten minutes and works once. Nobody of ours will ever ask you for it.")

CODES: dict[Purpose, Words] = {
    "email_verify": Words(
        N_("Confirm your e-mail address"), (N_("This code confirms that the address is yours:"),),
        N_("{code} confirms your address at {site}."), NP_("link", "Confirm the address"), (_TEN, _NOT_YOU),
    ),
    "phone_verify": Words(
        N_("Confirm your phone number"), (N_("This code confirms that the number is yours:"),),
        N_("{code} confirms your number at {site}. Good for ten minutes; tell it to nobody."), "", (_TEN, _NOT_YOU),
    ),
    "sign_in": Words(
        N_("Sign in"), (N_("This code signs you in:"),),
        N_("{code} signs you in at {site}. Good for ten minutes; tell it to nobody."), "", (_TEN, _NOT_YOU),
    ),
    "password_reset": Words(
        N_("Choose a new password"), (N_("Somebody, probably you, asked for a new password. This code lets you choose one:"),),
        N_("{code} lets you choose a new password at {site}. Good for ten minutes; tell it to nobody."),
        NP_("link", "Choose a new password"), (_TEN, _NOT_YOU),
    ),
}  # fmt: skip

_WAS_IT_YOU = N_("If this was not you, choose a new password now: it signs everybody out.")

NOTICES: dict[Notice, Words] = {
    "registered_already": Words(
        N_("You have an account already"),
        (N_("Somebody, perhaps you, tried to register with this address. There is an account with it already, so nothing "
         "has changed."), N_("Sign in as usual; if the password is forgotten, choose a new one.")),
        N_("Somebody tried to register at {site} with this number. You have an account already: sign in, or choose a new "
        "password."), NP_("link", "Choose a new password"),
    ),
    "password_changed": Words(
        N_("Your password was changed"), (N_("Your password was changed, and every device was signed out."),),
        N_("Your password at {site} was changed. If this was not you, choose a new one now."),
        NP_("link", "Choose a new password"), (_WAS_IT_YOU,),
    ),
    "second_factor_on": Words(
        N_("Your second factor is on"), (N_("From now on signing in takes a code of your authenticator, too."),),
        N_("The second factor of your account at {site} is on."), NP_("link", "Choose a new password"), (_WAS_IT_YOU,),
    ),
    "second_factor_off": Words(
        N_("Your second factor is off"), (N_("From now on your password alone signs you in."),),
        N_("The second factor of your account at {site} is off. If this was not you, choose a new password now."),
        NP_("link", "Choose a new password"), (_WAS_IT_YOU,),
    ),
    "recovery_code_used": Words(
        N_("A recovery code was used"), (N_("Somebody signed in with your password and one of your recovery codes."),),
        N_("A recovery code of your account at {site} was used. If this was not you, choose a new password now."),
        NP_("link", "Choose a new password"), (_WAS_IT_YOU,),
    ),
    "identifier_released": Words(
        N_("An address or number was removed from your account"),
        (N_("It was never confirmed, and its owner has shown that it is theirs. Nothing else has changed."),),
        N_("A number that was never confirmed was removed from your account at {site}: its owner has shown that it is theirs."),
    ),
    "identifier_changed": Words(
        N_("Your address or number is changing"),
        (N_("Another e-mail address or phone number was confirmed for your account."),),
        N_("Another address or number was confirmed for your account at {site}. If this was not you, choose a new password now."),
        NP_("link", "Choose a new password"), (_WAS_IT_YOU,),
    ),
    "identifier_undo": Words(
        N_("This address was replaced"),
        (N_("Your account has another address now, so this one no longer belongs to it."),
         N_("If this was not you, undo the change within seven days: the account gets this address back, and everybody is "
         "signed out.")),
        N_("Your account at {site} has another number now. If this was not you, undo it within seven days: {url}"),
        NP_("link", "Undo the change"),
    ),
    "identifier_added": Words(
        N_("An address or number was added to your account"),
        (N_("Your account has another e-mail address or phone number now. It can sign in and reset the password."),
         N_("If this was not you, undo it within seven days: it is removed again, and everybody is signed out.")),
        N_("A number or address was added to your account at {site}. If this was not you, undo it within seven days: {url}"),
        NP_("link", "Undo the change"),
    ),
    "identity_linked": Words(
        N_("An identity was linked to your account"),
        (N_("From now on your account can also be signed in to through an identity provider."),
         N_("If this was not you, undo it within seven days: it is removed again, and everybody is signed out.")),
        N_("An identity provider was linked to your account at {site}. If this was not you, undo it within seven days: {url}"),
        NP_("link", "Undo the change"),
    ),
    "second_factor_removal": Words(
        N_("Your second factor will be removed"),
        (N_("An operator was asked to remove the second factor of your account. It is removed in three days."),
         N_("If this was not you, sign in with your second factor: that cancels it.")),
        N_("The second factor of your account at {site} will be removed in three days. If this was not you, sign in with it: "
        "that cancels it."),
    ),
    "publication_removed": Words(
        N_("A picture of yours was removed from the public gallery"),
        (N_("An operator of {site} removed one of your pictures from the public gallery. The reason:"), "{reason}",
         N_("The picture stays in your library, and it cannot be published again.")),
        N_("An operator removed a picture of yours from the public gallery at {site}: {reason}"),
    ),
    "publication_restored": Words(
        N_("A picture of yours is restored"),
        (N_("An operator of {site} undid the removal of one of your pictures: it may be public again."),),
        N_("An operator undid the removal of one of your pictures at {site}."),
    ),
    "credits_added": Words(
        N_("You were given credits"), (N_("An operator of {site} gave you credits:"), "{reason}"),
        N_("An operator of {site} gave you credits: {reason}"),
    ),
    "credits_removed": Words(
        N_("Credits were taken from your account"), (N_("An operator of {site} took credits from your account:"), "{reason}"),
        N_("An operator of {site} took credits from your account: {reason}"),
    ),
}  # fmt: skip

UNCONFIRMED = Words("", (), N_("This number was never confirmed at {site}: sign in with your password, or choose a new one."))
"""To a phone that asks for a code to sign in before it was confirmed."""
