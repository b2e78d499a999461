@requires: 'authenticated-user'
@protocol: 'rest'
@path: '/partners'
service PartnerService {
  type Partner { BusinessPartner : String; BusinessPartnerFullName : String; CreatedByUser : String; }
  function first() returns array of Partner;
  action addPartner(name : String) returns Partner;
  function ping() returns { user : String; tenant : String; loggedOn : String };
  function internet() returns { path : String; authorization : String };
  function unreachable() returns String;
  @requires: 'sales'
  function forSales() returns String;
}
